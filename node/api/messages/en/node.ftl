# diwan-node: commands, flags, and what it says

node-cmd-root = Diwan's node: keeps an agency's replica of the knowledge base and syncs it with the nodes that its admin trusts.
node-cmd-init = Make a node: its keys, its agency's chain, its configuration.
node-cmd-run = Run the node until it is told to stop.
node-cmd-check-config = Check a configuration file and name every problem with its line.
node-cmd-enroll = Make another node of an agency: first its join request, then, with the card that has it, the node.
node-cmd-rotate-root = Hand the agency over to a new root key. The node must not run.
node-cmd-demo = Show a federation of three nodes on this machine, with documents.

node-arg-json = Print one JSON document, the same in every language.
node-arg-lang = Language of messages: en, fr or ar. From the locale where it is not said.
node-arg-home = The node's directory (environment: DIWAN_HOME).
node-arg-country = The agency's country, two letters of ISO 3166-1, such as TN.
node-arg-name = The agency's full name, in its own words.
node-arg-short = What one types in commands for the agency; the country in small letters where it is not said.
node-arg-listen = Where to listen, such as /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/udp/4001/quic-v1. May be said several times.
node-arg-passphrase-file = File whose first line is the passphrase that seals the keys (for run also: environment DIWAN_PASSPHRASE_FILE).
node-arg-no-passphrase = Keep the keys unsealed: whoever can read the files can act as the agency.
node-arg-port-file = Write the bound addresses into this file, as JSON, once the node answers.
node-arg-until-stdin-closes = Stop also when the standard input ends.
node-arg-file = The configuration file.
node-arg-card = The agency's card: `diwan card export` on its first node.
node-arg-request = Where to write the join request; to the screen where it is not said.
node-arg-dir = Where the three nodes' homes are made; a fresh directory below the temporary one where it is not said.
node-arg-import = Import this folder of documents instead of the sample knowledge base.
node-arg-exit = End when all has been shown, with 0 if all of it held.

node-ask-passphrase = Passphrase of the node's keys:
node-ask-new-passphrase = Passphrase that is to seal the node's keys:
node-ask-passphrase-again = The same passphrase again:
node-init-done =
    The node of { $short } is made in { $home }.
      Fingerprint: { $fingerprint }
      Node:        { $peer }
    Start it with:  diwan-node run --home { $home }
    Keep a copy of { $home }/keys/root.key offline: who loses it cannot prove to be this agency.
node-check-config-good = { $file } is in order.
node-enroll-asks = The home { $home } is made. Take the join request to the agency's first node: diwan node certify REQUEST --output CARD.
    Then run this command again with that card.
node-enroll-done = The node in { $home } is certified. Start it with:  diwan-node run --home { $home }
    It follows the groups that the agency's other nodes follow; the trust list is its own.
node-rotate-root-done = A new root key signs from here on: { $key }. The old one is beside it, as root.key.old: keep it offline or destroy it.
