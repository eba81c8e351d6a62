# Why a document was not imported (`skip-`), or what is odd about one that was (`warn-`), by the
# codes of the document formats.

skip-binary = not text
skip-unknown-encoding = in an encoding that cannot be told; save it as UTF-8
skip-too-large = { $bytes } bytes; at most { $limit } can be imported
skip-record-too-large = all languages together have { $bytes } bytes; at most { $limit } fit one record
skip-too-many-languages = more than { $limit } languages in one record
skip-empty = empty
skip-not-a-document = neither Markdown nor JSON Lines
skip-symlink = a symbolic link
skip-too-deep = more than { $limit } folders deep
skip-unreadable = cannot be read: { $detail }
skip-bad-json = line { $line } is not a record: { $detail }
skip-bad-object = { $path }: { $detail }
skip-bad-rdf = line { $line } is no RDF: { $detail }
skip-evidence = { $format } is evidence of a case: no record is made of it, and nodes keep no attachments yet
skip-refused = { $path }: “{ $name }” of the type { $kind } is never stored
skip-no-knowledge = { $count } objects of the type { $kind } were passed over: they are no knowledge
skip-loose-links = { $count } relationships were passed over: they lead from or to what was not imported
skip-bad-label = unknown handling label “{ $value }”
skip-same-language = in { $lang }, as { $other } of the same document is
skip-other-record = belongs to another record ({ $record }) than its translations
skip-untranslated = marked as not translated yet

warn-front-matter = the fields at its top cannot be read (line { $line }): { $detail }
warn-claimed-language = says that it is in { $claimed }, but is in { $detected }
warn-unknown-language = unknown language “{ $value }”
warn-guessed-encoding = not UTF-8; read as { $encoding }
warn-text-in-front-matter = all of its text stands among the fields at its top; taken as its body
warn-guard = the publication guard noticed ({ $rule }) in { $field }, line { $line }: { $text }
warn-cut = { $field } cut to { $limit } bytes
