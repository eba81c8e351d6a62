# Help. `cmd-<path>` says what a command does, `arg-<path>-<flag>` what a flag of it does,
# `arg-<flag>` what a flag means wherever it stands.

help-usage = Usage
help-commands = Commands
help-command = COMMAND
help-arguments = Arguments
help-options = Options
help-common = Common options

cmd-diwan = Diwan: your agency's knowledge, shared with the agencies you trust.
cmd-status = Show how the node is: its peers, its records, what needs attention
cmd-card = Your agency's card, and what another agency's card says
cmd-card-export = Write your agency's card, which other admins add to their trust list
cmd-card-show = Say what a card contains, without trusting it
cmd-trust = Decide which agencies this node trusts
cmd-trust-add = Add an agency by its card
cmd-trust-list = Show the trust list
cmd-trust-show = Show one agency of the trust list
cmd-trust-verify = Confirm an agency whose fingerprint you have compared with it
cmd-trust-suspend = End an agency's connections until it is resumed
cmd-trust-resume = Take back a suspension or a block
cmd-trust-block = End an agency's connections and hide its content
cmd-trust-remove = Take an agency off the trust list
cmd-group = Groups of agencies that share records
cmd-group-create = Create a group; your agency becomes its owner
cmd-group-list = Show the groups that this node follows
cmd-group-show = Show a group and its members
cmd-group-add = Add agencies to a group
cmd-group-remove = Remove agencies from a group
cmd-group-set-role = Give members of a group another role
cmd-group-cosign = Sign a change of a group that waits for more owners
cmd-group-extend-cuts = Take as valid all that a former member wrote before it lost its rights, as far as it is here
cmd-group-leave = Leave a group: nothing of it is synced any more
cmd-group-join = Take back that your agency left a group
cmd-quarantine = Entries that are kept and have no effect
cmd-quarantine-list = List what is in quarantine
cmd-quarantine-show = Show what is in quarantine of one log
cmd-purge = Erase a record on every node of its group
cmd-node = The nodes of your agency
cmd-node-list = List your agency's nodes
cmd-node-certify = Certify a node that asks to join (diwan-node enroll)
cmd-node-revoke = Revoke a node; for a revoked one, take as valid what has arrived of it since
cmd-reissue = Go on after this node's log was found to have two sides
cmd-new = Write a record
cmd-import = Import files and folders as records
cmd-export = Write records into files
cmd-search = Find records, in any language
cmd-show = Show a record
cmd-list = List records, newest first
cmd-edit = Change a record
cmd-diff = Show what changed between two versions of a record
cmd-exchange = Events, and what came from them
cmd-exchange-show = Show all that came from one event: needs, actions, trainings, endorsements
cmd-needs = Show capacity gaps by country and theme, and what answers each
cmd-holders = Show which agencies have stored a record, by their signed receipts
cmd-history = Show the versions of a record
cmd-comment = Comment on a record
cmd-translate = Write a record's text in another language; of another agency's record it stands beside it until the origin adopts it
cmd-adopt = Take another agency's translation into your record
cmd-answer = Answer a question
cmd-endorse = Say that a record was applied here, and with what result (--field result=helped, partly or did-not-help)
cmd-sync = Sync with other agencies now
cmd-completions = Print a completion script for a shell

arg-help = Print this help
arg-version = Print the version
arg-home = The node's home [default: $DIWAN_HOME, else ~/.local/share/diwan]
arg-socket = The node's socket [default: run/node.sock in its home]
arg-json = Print one JSON document instead of text
arg-interface-lang = Language of messages, such as fr [default: from the locale]
arg-jsonl = Print JSON Lines: one document a line, as it comes
arg-yes = Do not ask for confirmation
arg-dry-run = Say what would happen, change nothing

arg-file = A card file
arg-card-export-file = Where to write the card [default: to the screen]
arg-trust-add-card = The agency's card file
arg-fingerprint = The fingerprint that you heard from the agency: eight groups of five digits
arg-trust-add-fingerprint = The fingerprint that you heard from the agency; without it the agency stays unverified
arg-agency = Short name or id of an agency
arg-name = Name of the group
arg-member = A first member and its role: reader, contributor, curator or owner [default: contributor]
arg-members = Short names or ids of agencies, each with its role: reader, contributor, curator or owner [default: contributor]
arg-agencies = Short names or ids of agencies
arg-threshold = How many owners must sign a change [default: a majority]
arg-group-create-tlp = TLP label of new records: CLEAR, GREEN, AMBER, AMBER+STRICT or RED [default: GREEN]

arg-id = Id of a record: at least its first 6 characters
arg-group = Name or id of a group; own for drafts
arg-kind = Kind of record, such as practice, experience, guideline, training or question
arg-import-kind = Kind of documents that name none [default: guideline]
arg-title = Title in a language, such as fr="Saisie de téléphones"; without LANG= in yours. Repeat for more languages
arg-new-title = Title in a language, such as fr="Saisie de téléphones"; without LANG= in yours. Repeat for more languages; without any, an editor opens
arg-summary = Summary in a language: text, @FILE, or - for standard input
arg-body = Text in a language, Markdown: text, @FILE, or - for standard input
arg-theme = A theme, such as cybercrime
arg-new-theme = A theme, such as cybercrime; may be repeated
arg-edit-theme = A theme of the new set of themes; may be repeated, "" for none
arg-tag = A tag
arg-new-tag = A tag; may be repeated
arg-edit-tag = A tag of the new set of tags; may be repeated, "" for none
arg-tlp = TLP label: CLEAR, GREEN, AMBER, AMBER+STRICT or RED
arg-hcode = Europol handling code, H0 to H3
arg-stale-translations = Only records whose text in this language is a translation that is older than its source
arg-due = Only records whose review or expiry has come by this day, YYYY-MM-DD; today where no day is said
arg-into-lang = The language that it is in
arg-own-title = Title in that language
arg-own-summary = Summary in that language: text, @FILE, or - for standard input
arg-own-body = Body in that language, Markdown: text, @FILE, or - for standard input
arg-from-lang = The language that was translated; needed where the record has several
arg-of = The version that was translated; the newest where none is said
arg-from = The older version, as diwan history prints it
arg-to = The newer version; the newest where none is said
arg-field = A field of the kind, such as country=TN or outcome.fr=TEXT (@FILE: from a file); a name that comes again makes a set; an empty value removes it
arg-link = A link to another record, such as need=ID; may be repeated
arg-editors = Who may edit: group (every contributor), origin (your agency alone), or agencies such as fr,tn [default: group]
arg-edit-base = The version that the new texts are a change of [default: the newest]
arg-text = The text, in your language

arg-paths = Files and folders
arg-import-lang = Language of all the documents [default: each one's own]
arg-import-format = auto, markdown or jsonl [default: auto]
arg-separate-languages = Make each file a record of its own instead of one record for all translations
arg-path = Folder to write into (markdown), file to write (jsonl), or - for standard output (jsonl)
arg-export-group = Only this group
arg-export-query = Only what this search finds
arg-export-format = markdown or jsonl

arg-query = What to look for, in any language
arg-lang = Only records that have a text in this language
arg-country = Only records of agencies of this country, such as TN
arg-since = Only what was updated on or after this day, as 2026-01-31
arg-sort = relevance or date [default: relevance]
arg-limit = At most so many, up to 200 [default: 10]
arg-list-limit = At most so many, up to 1000 [default: 50; with --jsonl all]
arg-after = Cursor of the next page
arg-facets = Count the results by kind, theme, language and more
arg-no-expand = Search for the words as they are, without related terms and other languages
arg-origin = Only records of this agency
arg-show-lang = Language to show the record in
arg-at = Version to show, as diwan history prints it

arg-peer = Only this agency
arg-wait = Wait until nothing is missing on either side
arg-timeout = How long to wait [default: 60]
arg-shell = bash, zsh, fish, elvish or powershell

arg-statement = Which statement, by the beginning of its hash, as diwan group show prints it
arg-own = Only what your own agency wrote
arg-log = A log, or the beginning of its name, as diwan quarantine list prints it
arg-seq = A place in the log
arg-reason = Why, for the admins of the other agencies; it stays when the record is gone
arg-request = The join request that diwan-node enroll wrote on the new machine
arg-output = Where to write your agency's card with the new node in it [default: to the screen]
arg-node = PeerId of a node, as diwan node list prints it
