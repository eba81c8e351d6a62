# What the commands print.

label-error = error
label-hint = hint

untitled = (no title)
since = since { $time }
next-page = More: --after { $cursor }
confirm-name = This cannot be undone. Type { $name } to go on:
written = Written: { $record }
edited = { $record } is now at version { $version }
text-kept = Your text is kept in { $path }

unit-b = { $number } B
unit-kb = { $number } kB
unit-mb = { $number } MB
unit-gb = { $number } GB
unit-ms = { $number } ms
unit-s = { $number } s

state-connected = connected
state-dialing = connecting
state-offline = offline
state-suspended = suspended
state-unverified = unverified
state-pinned = pinned
state-blocked = blocked
state-acting = acting
state-revoked = revoked
state-equal = complete
state-syncing = syncing

role-reader = reader
role-contributor = contributor
role-curator = curator
role-owner = owner

facet-kind = kind
facet-theme = theme
facet-lang = language
facet-group = group
facet-origin = agency
facet-country = country
facet-year = year
facet-tlp = label

status-records = records
status-entries = entries
status-attachments = attachments
status-groups = groups
status-index = search
status-index-current = up to date
status-index-behind = { $count ->
    [one] 1 change behind
   *[other] { $count } changes behind
}
status-quarantined = quarantined
status-listening = listening on
status-peer-id = peer id
status-version = version
status-peers = Agencies
status-no-peers = No agency is trusted yet. `diwan card export` writes your card, `diwan trust add` takes another agency's, `diwan trust verify` pins it once its fingerprint was compared; `diwan trust list` shows which wait for that.

card-short = short name
card-fingerprint = fingerprint
card-agency = id
card-address = address
card-compare = The agency that receives this card should call you and compare the fingerprint.

trust-short = short name
trust-state = state
trust-fingerprint = fingerprint
trust-compared = compared
trust-not-compared = not yet: call the agency and compare the fingerprint
trust-compared-by = by officer { $officer }, { $time }
trust-address = address
trust-empty = The trust list is empty. `diwan trust add CARD` adds an agency.
trust-means-unverified = { $agency } is unverified: it is not dialled and not let in, nothing is received from it or sent to it,
    and it cannot be made a member of a group. Compare by phone: call the agency at a number you know,
    let them read their fingerprint to you, then: diwan trust verify { $agency } --fingerprint "…"
trust-means-pinned = { $agency } is pinned: this node connects to it, and shares what it shares in common groups.
trust-means-suspended = { $agency } is suspended: its connections are closed until `diwan trust resume { $agency }`.
trust-means-blocked = { $agency } is blocked: its connections are closed and its content is hidden.
trust-removal-plan = { $name } ({ $agency }) will be taken off the trust list. Its connections end at once. Records
    that it wrote stay in the groups that you share. To trust it again, its card must be added anew.
trust-removed = { $agency } is off the trust list.

group-records = { $count ->
    [one] 1 record
   *[other] { $count } records
}
group-id = id
group-held = records
group-label = label
group-owners = changes need
group-threshold = { $owners ->
    [one] its only owner
   *[other] { $threshold } of { $owners } owners
}
group-height = statements
group-members = Members
group-pending = Waiting for signatures
group-signed-by = signed by { $agencies }; { $needed } must sign
group-frozen = The group stands still: its chain has two sides. Create a new group and publish there.
group-left = Your agency has left this group: nothing of it is synced. `diwan group join` takes that back.
group-leave-plan = Nothing of “{ $group }” will be sent or received any more. What is here stays readable, and the
    others keep what your agency wrote. `diwan group join` takes it back.
group-removal-plan = { $agencies } will leave “{ $group }” and receive nothing new of it. What { $count ->
    [one] it has
   *[other] they have
} received
    stays with them; { $entries ->
    [one] 1 entry
   *[other] { $entries } entries
} that they wrote stay valid.
group-removed = { $agencies } left “{ $group }”; { $entries ->
    [one] 1 entry
   *[other] { $entries } entries
} that they wrote stay valid.

list-stale = { $lang } (stale)
list-review = review { $day }
list-label-review = review the label { $day }
list-expires = expires { $day }
list-empty = No record fits.
search-nothing = Nothing found for “{ $query }”.
search-behind = The index has not taken in everything yet: ask again in a moment, there may be more.
search-found = { $count ->
    [one] 1 record
   *[other] { $count } records
} · { $time } ms
why-recency = newness
why-endorsements = endorsed
why-all = all words
why-label = as it is called
why-title = as a title
why-passage = in one passage
watch-none = No saved search. Save one with: diwan watch add NAME QUERY
watch-more = Only the newest { $shown } are shown, and none counts as seen: save the search anew to begin from now.
watch-found = { $count ->
    [0] nothing new since { $since }
    [one] 1 record is new or changed since { $since }
   *[other] { $count } records are new or changed since { $since }
}
search-expanded = Also searched for:

show-id = id
show-kind = kind
show-group = group
show-origin = written by
show-signed = signed by
show-signed-by = { $node }, entry { $seq } of its log ({ $entry })
show-fingerprint = fingerprint
show-compared = { $fingerprint } (compared by your admin)
show-not-compared = { $fingerprint } (never compared by your admin)
show-editors = may be edited by
show-hcode = handling code
show-languages = languages
show-stale = { $lang } (older than its source)
show-themes = themes
show-tags = tags
show-link = link
show-attachment = attachment
show-version = version
show-updated = updated
show-created = created
show-summary = Summary
show-other-language = Not in the language asked for; this is { $lang }.
show-annotations = { $count ->
    [one] 1 annotation
   *[other] { $count } annotations
}

import-did = { $created } created · { $updated } updated · { $unchanged } unchanged
import-from = { $files ->
    [one] from 1 file
   *[other] from { $files } files
} · records by language: { $languages }
import-would = Would be { $created } created · { $updated } updated · { $unchanged } unchanged; nothing was written
import-skipped = { $count ->
    [one] 1 file was not imported:
   *[other] { $count } files were not imported:
}
import-warned = { $count ->
    [one] 1 file is imported, but look at it:
   *[other] { $count } files are imported, but look at them:
}
progress-import = Importing
progress-left = { $time } left
progress-documents = { $done } of { $total } documents

export-shortened = { $count ->
    [one] 1 record has
   *[other] { $count } records have
} fields too long for the head of a Markdown file: they are left out, and stay as they are when it is imported. `--format jsonl` has them.
export-done = { $count ->
    [one] 1 record
   *[other] { $count } records
} written to { $path }

sync-sent = { $count } sent
sync-received = { $count } received
sync-stored = { $stored } of { $of } stored by the peer
sync-refused = { $agency }: { $count } refused ({ $reason })
sync-offline = Not reached: { $peers }. What they lack is sent as soon as they are connected.
sync-no-peers = No agency is pinned, so there is none to sync with. `diwan trust list` shows which are unverified, suspended or blocked; `diwan trust add` takes another agency's card.
sync-not-equal = After { $seconds } s something is still missing on one side. It is sent as soon as the agencies are connected; `diwan sync --wait` waits again.

template-explanation =
    Write between the two lines of dashes, and below them. Lines that begin with # are not kept.
    title.LANG holds the title in a language (fr, en, ar, …); add lines for more languages.
    Texts stand below the lines that begin with <!-- diwan: and name their language; add such
    lines for more languages. Leave without saving, and nothing is written.
template-no-fields = the first line is not “---” but “{ $line }”
template-no-end = the second “---” is missing
template-not-a-field = “{ $line }” is not a field
template-unknown-field = there is no such field: “{ $line }”
template-twice = a language stands twice: “{ $line }”
template-unknown-section = “{ $line }” names neither a summary nor a body with its language
template-outside = this text belongs to no language: “{ $line }”

# Mistakes on the command line.

usage-unknown-argument = there is no { $argument } here
usage-unknown-command = there is no command “{ $command }”
usage-missing-command = a command is missing
usage-missing-argument = missing: { $argument }
usage-conflict = { $argument } and { $other } cannot stand together
usage-empty-value = { $argument } needs a value
usage-bad-value = “{ $value }” is no value for { $argument }
usage-did-you-mean = Did you mean { $nearest }?
usage-leave-out = To leave a word out, put the whole query in quotes: `diwan search 'evidence -training'`.
usage-expected = Expected: { $expected }.
expected-member = an agency, or AGENCY:ROLE such as tn:contributor
stored-by = Stored by { $by } of { $of } { $of ->
    [one] agency
   *[other] agencies
}.
holder-stored = stored
holder-older = has version { $version } only
holder-ahead = is ahead of this node, which cannot tell
holder-none = has not signed that it has it
exchange-nothing = Nothing links to it yet. A need does with --link exchange=ID.
needs-short = There is more than was looked at: the counts are too small.
exchange-short = There is more than was looked at.
needs-none = No need fits. `diwan new --kind need` writes one.
vocabulary-shipped = shipped with the program
needs-country = country
needs-theme = theme
needs-needs = needs
needs-open = open
needs-actions = actions
needs-trainings = trainings
needs-endorsements = endorsements
needs-closed = closed

show-translated-apart = { $lang } (beside it: { $annotation })
translated-in-record = The record { $record } has this translation.
translated-apart = Written beside the record, as { $record }: its origin may adopt it.
show-linked = linked from
show-stored = stored
show-stored-by = by { $by } of { $of } { $of ->
    [one] agency
   *[other] agencies
}

expected-field = NAME=VALUE, or NAME.LANG=TEXT, such as duration=90 or audience.fr=Enquêteurs
expected-link = RELATION=ID, such as need=1a2b3c
expected-editors = group, origin, or agencies such as fr,tn
expected-list-limit = a number from 1 to 1000
expected-search-limit = a number from 1 to 200

quarantine-empty = Nothing is in quarantine.
quarantine-agency = written by
quarantine-group = group
quarantine-log = log
quarantine-seq = place
quarantine-reason = reason
quarantine-record = record
reason-malformed = not the bytes of a change
reason-too-large = larger than a change or a record may be
reason-chunk-type = compressed, or no change at all
reason-foreign-actor = written under another writer's name
reason-sequence-gap = does not follow its writer's last change
reason-missing-predecessor = leaves out its writer's last change
reason-start-op = counts its operations from elsewhere
reason-does-not-apply = the document refuses it
reason-schema = has what no record may have
reason-unknown-base = builds on a text that the record does not have
reason-not-an-editor = its agency is no editor of the record
reason-no-standing = its agency might not write in the group, or no longer
reason-waiting = what it depends on is not here yet
reason-bad-genesis = no first version of a record
reason-dangling-reference = refers to what is not in its own past
reason-not-a-curator = its agency neither wrote the record nor is a curator
reason-not-the-origin = it decides what the record's origin alone decides
reason-over-quota = too many of its writer's earlier changes of the record do not count
reason-equivocation = the log has two sides from here on

purge-plan = { $record } in “{ $group }” will be erased, with all { $versions } of its versions, on every node of { $agencies }.
    Headers and signatures stay, so that the logs still verify. This cannot be undone.
purge-done = { $record } in “{ $group }” is erased here; the nodes of { $agencies } erase it when they sync.

reissue-plan = This node goes on under a new incarnation. What went out of its logs because they had two sides is
    written again, as new entries.
reissue-done = Incarnation { $incarnation }: { $records } records and the edits of { $edits } more were issued again, { $left } entries were left out.

node-this = this node
node-certified = { $node } is certified. Take the card to it: diwan-node enroll --home DIR --card CARD
node-revoke-plan = { $node } will no longer act for your agency, for good. What it wrote stays valid as far as it is here.

alarm-log-forked = A log has two sides, and stands still where both agree: { $detail }. `diwan quarantine list`
alarm-own-log-forked = This node's own log has two sides, and stands still: { $detail }. `diwan reissue`
alarm-group-forked = The chain of the group { $detail } has two sides: the group stands still.
alarm-agency-forked = The chain of { $detail } has two sides: its newest statements do not count. Call the agency.
alarm-pending = A change of the group { $detail } waits for signatures. `diwan group show`
alarm-missing = Payloads are missing and are asked for: { $detail }
alarm-removed = Your agency is no member of the group { $detail } any more: nothing of it arrives, and its records are not shown.
alarm-lost-standing = Entries of your agency do not count any more, since it was removed or the node that wrote them was revoked: { $detail }. `diwan quarantine list`
alarm-node-revoked = This node was revoked by its agency: it is let in nowhere.



publish-plan = { $record } will be readable in “{ $group }” as TLP:{ $tlp }, by: { $agencies }.
    What other agencies have received cannot be taken out of their hands.
publish-done = Published as { $record } in “{ $group }”, TLP:{ $tlp }. It goes to: { $agencies }.
publish-again-done = { $record } in “{ $group }” says what the draft says now, TLP:{ $tlp }. It goes to: { $agencies }.
publish-nobody = nobody else yet
publish-left-out = These links stay behind, as their records are not in the group: { $links }
withdraw-plan = { $record } in “{ $group }” will be neither listed nor found any more, by: { $agencies }.
withdraw-done = { $record } in “{ $group }” is withdrawn: it is neither listed nor found any more, also by: { $agencies }.
    Its text is still there; `diwan purge` erases it.
restore-plan = { $record } in “{ $group }” will be listed and found again, also by: { $agencies }.
restore-done = { $record } in “{ $group }” is listed and found again, also by: { $agencies }.
guard-warned = The publication guard noticed:
guard-blocks = { $source } does not get out as TLP:{ $tlp }:
guard-warns = { $source } gets out as TLP:{ $tlp }; look at this first:
guard-clean = { $source }: nothing was found (TLP:{ $tlp }).
guard-level-block = blocks
guard-level-warn = warns
guard-level-off = –
guard-place = { $field }, line { $line }, character { $column }
guard-rule = rule
officer-revoked = revoked
officer-revoke-plan = The user { $uid } will not be let in any more.

show-credits = corrected by
show-accepted = accepted
show-declined = declined
show-open = open
show-parts = { $count ->
        [one] 1 part, { $minutes } minutes
       *[other] { $count } parts, { $minutes } minutes together
    }
show-minutes = { $minutes } min
show-part-missing = not here
expected-named-value = NAME=VALUE, such as languages=ar
show-withdrawn = Withdrawn on { $day }. { $reason }
expected-uid = the number of a local user, as `id -u NAME` prints it
