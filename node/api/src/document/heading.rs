//! What Markdown says without its marks: the first heading, and prose to tell a language by.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::clean::{clean_line, cut};
use super::limits::{HEADING_SEARCH_BYTES, LANGUAGE_SAMPLE_BYTES, TITLE_BYTES_MAX};

/// The text of the first heading that has any, on one line: without emphasis, links' targets,
/// images, HTML, attribute lists (`{#id}`, `{: .class}`) and icon names (`:material-account:`).
pub(crate) fn first_heading(body: &str) -> Option<String> {
    let mut title: Option<String> = None;
    let mut image_depth = 0_usize;
    for event in Parser::new_ext(prefix(body, HEADING_SEARCH_BYTES), Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => title = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let found = title.take().map(|text| without_attributes(&text));
                if found.as_ref().is_some_and(|text| !text.is_empty()) {
                    return found;
                }
            }
            Event::Start(Tag::Image { .. }) => image_depth += 1,
            Event::End(TagEnd::Image) => image_depth = image_depth.saturating_sub(1),
            Event::Text(text) | Event::Code(text) if image_depth == 0 => {
                if let Some(title) = &mut title {
                    title.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(title) = &mut title {
                    title.push(' ');
                }
            }
            _ => {}
        }
    }
    None
}

/// The beginning of the prose: no code, no HTML, no addresses of links.
pub(crate) fn prose(body: &str) -> String {
    let mut out = String::new();
    let mut code_depth = 0_usize;
    for event in Parser::new_ext(prefix(body, LANGUAGE_SAMPLE_BYTES), Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code_depth += 1,
            Event::End(TagEnd::CodeBlock) => code_depth = code_depth.saturating_sub(1),
            Event::Text(text) if code_depth == 0 => out.push_str(&text),
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableCell | TagEnd::Item,
            ) => {
                out.push('\n');
            }
            _ => {}
        }
    }
    out
}

/// A title from a file name: `zero-trust__part_1` reads `zero trust part 1`.
pub(crate) fn title_from_file_name(stem: &str) -> String {
    let mut title = clean_line(&stem.replace(['-', '_'], " "));
    cut(&mut title, TITLE_BYTES_MAX);
    title
}

fn without_attributes(heading: &str) -> String {
    let mut out = String::with_capacity(heading.len());
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once('{') {
        let attributes = after
            .split_once('}')
            .filter(|(inside, _)| inside.trim_start().starts_with(['#', '.', ':']));
        out.push_str(before);
        rest = match attributes {
            Some((_, after)) => after,
            None => {
                out.push('{');
                after
            }
        };
    }
    out.push_str(rest);
    let words: Vec<&str> = out
        .split_whitespace()
        .filter(|word| !is_icon(word))
        .collect();
    clean_line(&words.join(" "))
}

/// `:material-account-cash:`
fn is_icon(word: &str) -> bool {
    let name = word
        .strip_prefix(':')
        .and_then(|word| word.strip_suffix(':'));
    name.is_some_and(|name| {
        name.contains('-') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_become_plain_titles() {
        for (body, title) in [
            (
                "# <a name=\"x-y\"></a>Gérer *les* [incidents](a.md) {#gerer}\n",
                "Gérer les incidents",
            ),
            ("intro\n\nSetext **title**\n===\n", "Setext title"),
            (
                "#\n\n![logo](x.png)\n\n# معيار التحقق  4.0.3\n",
                "معيار التحقق 4.0.3",
            ),
            (
                "# A04:2021 – Design   ![icon](i.png){: style=\"h:8px\" align=\"right\"} \n",
                "A04:2021 – Design",
            ),
            (
                "## :material-account-cash: Use `tar` {{x}}\n",
                "Use tar {{x}}",
            ),
            ("```\n# no\n```\n<div markdown=\"1\">\n\n### Deep\n", "Deep"),
        ] {
            assert_eq!(first_heading(body).as_deref(), Some(title), "{body}");
        }
        for none in [
            "",
            "text",
            "# \n",
            "```\n# code\n```\n",
            "# ![only](i.png)\n",
        ] {
            assert_eq!(first_heading(none), None, "{none}");
        }
    }

    #[test]
    fn prose_has_neither_code_nor_addresses() {
        let body =
            "Voir [le guide](http://example.org/path)\n\n```sh\nls -l\n```\n<b>x</b> `cmd`\n";
        let prose = prose(body);
        assert!(prose.contains("Voir le guide"));
        for absent in ["http", "ls -l", "cmd", "<b>"] {
            assert!(!prose.contains(absent), "{absent}");
        }
    }

    #[test]
    fn file_names_read_as_titles() {
        assert_eq!(
            title_from_file_name("zero-trust__part_1"),
            "zero trust part 1"
        );
    }
}
