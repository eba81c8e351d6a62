# diwan-node demo: what it says

demo-title =
    Diwan: three agencies, three nodes, one knowledge base, and no server between them.
    All of this really happens, on this machine only, in { $dir }.
    Below each step stand the commands that do the same.

demo-step-start = Three agencies start their nodes
demo-start-what =
    Each country runs its own node: its own keys, its own database, its own process.
    The agencies are invented.
demo-started = { $node }  { $name }, listening on { $listen }
demo-start-how = With these commands for fr, and the same for tn and ma:

demo-step-cards = The admins exchange cards and compare fingerprints
demo-cards-what =
    A card is a small text file that says who an agency is. It may travel by any way, because
    the two admins read its fingerprint to each other on the phone. Only then do their nodes
    talk to each other; to anybody else they do not even answer.
demo-card = { $node }  { $fingerprint }
demo-cards-how = For the card of tn at fr (and so for each of the six pairs):
demo-connected = All fingerprints are the right ones. The three nodes are connected, each to both others.

demo-step-group = fr founds a sharing group
demo-group-what =
    What agencies share lies in a group, and only its members receive it. fr founds “{ $group }”,
    after an exchange on cybercrime in Paris, with tn and ma as members.
demo-group-followed = { $node } follows it; members: { $members }

demo-step-import = Documents go in at fr
demo-import-sample =
    A sample knowledge base lies in { $path }:
    guidelines, experiences, training sheets and needs, each in French, English and Arabic.
demo-import-own = The documents in { $path }:
demo-importing = { $done } of { $total } documents
demo-imported =
    { $records ->
        [one] 1 record
       *[other] { $records } records
    } from { $files ->
        [one] 1 file
       *[other] { $files } files
    }: translations of one document are one record.
demo-skipped = { $count ->
        [one] 1 file was not imported:
       *[other] { $count } files were not imported:
    }
demo-skipped-file = · { $file }: { $reason }
demo-skipped-more = · and { $count } more

demo-step-spread = They come to tn and ma
demo-spread-what =
    Nodes compare what they have and send what is missing. Whoever has stored it durably signs a
    receipt; nothing else counts as arrived.
demo-receipt = { $node } has signed for { $stored } of { $of } entries
demo-stored-by = Stored by { $holders } of { $of } agencies.

demo-step-search = ma finds one of them, in three languages
demo-search-what = The node of ma answers from its own copy, without asking anybody.
demo-found = → { $record }  { $title }
demo-search-same = { $count ->
        [one] One query, one record.
       *[other] { $count } queries, the same record.
    }

demo-step-proof = ma sees who wrote it
demo-proof-what = The record came over the network; its origin is proved by a signature, not by who brought it.
demo-show-title = { $lang }  { $title }
demo-proof =
    Written by { $agency }
        fingerprint { $fingerprint } (compared by the admin of ma)
        signed by node { $peer }
        as entry { $seq } of its log, { $entry }

demo-step-cut = The line to tn is cut, and both sides go on writing
demo-cut-what = The admin of tn suspends both others: their connections end at once.
demo-cut-done = tn has no connection to anybody now.
demo-edit-what = An officer of fr and one of tn edit the same text ({ $lang }), in different paragraphs:
demo-edited = { $node } adds: { $text }
demo-edit-apart = Neither sees the other's words; ma, still connected to fr, sees those of fr.

demo-step-merge = The line is back, and nothing is lost
demo-merge-what = tn resumes both. The nodes exchange the two edits and merge them, each for itself:
demo-merged-text = “{ $text }”
demo-first-version = · { $node } wrote it
demo-version = · { $node } changed { $changed }
demo-merged = The same text on all three, with both edits; the history says whose they are:

demo-step-exports = The three knowledge bases are the same
demo-exports-what = Each node writes all records of the group in the canonical form:
demo-exports-equal = { $bytes } bytes each, byte for byte the same.

demo-all-shown = All of it was checked, and holds.

demo-try = The three nodes stay up. In another terminal:
demo-try-beside = (The program diwan lies beside this one:)
demo-try-build = (The program diwan is not built yet. From the folder of the sources, this builds it and runs it:)
demo-try-then = (In what follows, write “cargo run --release -p diwan-cli --” instead of “diwan”.)
demo-try-comment = Useful for our next training.
demo-up = Ctrl-C stops them.
demo-staying-up = staying up

demo-stopping = The nodes are stopping.
demo-kept = The homes are in { $dir }. Start one again with: diwan-node run --home { $dir }/fr
demo-removed = { $dir } is removed.
demo-logs = The nodes' homes and logs are kept: { $dir }/fr/node.log, and so for tn and ma.

# What was waited for in vain

demo-awaited-start = the node's start
demo-awaited-connection = the connection to both others
demo-awaited-group = the group to appear at its member
demo-awaited-records = all records to appear
demo-awaited-sync = all entries to be stored everywhere
demo-awaited-cut = the connections of tn to end
demo-awaited-edit = each side to show its own edit only
demo-awaited-merge = both edits to stand in the text

# What should have been so

demo-law-three = three nodes run
demo-law-fingerprint = the card's fingerprint is the one heard by phone
demo-law-pinned = the agency is trusted, its fingerprint compared
demo-law-group = the group is there
demo-law-imported = a document was imported
demo-law-stored = every agency has signed for everything
demo-law-found = a record is found in each of its languages
demo-law-proof = the record is signed by the node of fr, whose fingerprint was compared
demo-law-history = the history names fr and tn
demo-law-editable = some record has a text with two paragraphs
demo-law-exports = its export is the same as that of fr

demo-fault-node = { $node } answered: { $detail }
demo-fault-making = the node of { $node } could not be made: { $detail }
demo-fault-ended = the node of { $node } ended by itself ({ $status })
demo-fault-too-long = for { $seconds } s nothing moved while waiting for: { $awaited }
demo-fault-untrue = at { $node } this does not hold: { $law }
demo-fault-file = { $path } cannot be used: { $detail }
