//! Columns that line up.

use super::text::width;

/// Rows of cells; every column but the last is padded to its widest cell.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A text, and how it looks on a terminal.
pub(crate) struct Cell {
    text: String,
    styled: String,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            styled: text.clone(),
            text,
        }
    }
}

impl Cell {
    /// A cell that is as wide as `text` and printed as `styled`.
    pub(crate) fn styled(text: String, styled: String) -> Self {
        Self { text, styled }
    }
}

impl Table {
    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The rows, each behind `indent` and without spaces at its end.
    pub(crate) fn render(&self, indent: &str) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                match widths.get_mut(column) {
                    Some(widest) => *widest = (*widest).max(width(&cell.text)),
                    None => widths.push(width(&cell.text)),
                }
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::from(indent);
            for (cell, column) in row.iter().zip(&widths) {
                line.push_str(&cell.styled);
                line.push_str(&" ".repeat(column.saturating_sub(width(&cell.text)) + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let mut table = Table::default();
        for (name, role) in [("tn", "owner"), ("المغرب", "reader"), ("fr", "")] {
            table.row([
                name.to_owned().into(),
                role.to_owned().into(),
                "x".to_owned().into(),
            ]);
        }
        let text = table.render("  ");
        let starts: Vec<_> = text
            .lines()
            .map(|l| width(l.split('x').next().unwrap()))
            .collect();
        assert_eq!(starts, [18, 18, 18]);
    }
}
