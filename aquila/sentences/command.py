"""Sentences of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquila.sentences.sentence import Text

if TYPE_CHECKING:
    from aquila.sentences.sentence import Table

COMMAND: Final[Table] = {
    "another_demo_running": Text(
        "another demo is running in {folder}", "end it with Ctrl-C, or name another folder with --folder"
    ),
    "approval_digest_differs": Text(
        "what was read is not what was asked for", "read it again with `aquila approval show`"
    ),
    "archive_files_not_allowed": Text("the archive holds a file twice, too many files, or one that is too large"),
    "archive_header_too_long": Text("a header in the archive is too long"),
    "archive_holds_no_plain_file": Text("the archive holds something else than whole plain files"),
    "archive_not_whole": Text("this is no whole tar archive"),
    "authenticator_secret_malformed": Text(
        "{secret} holds no authenticator's secret", "it is letters and digits of base 32"
    ),
    "bench_process_ended": Text("the process of {process} ended"),
    "bench_query_unanswered": Text("a query was not answered within {seconds} seconds"),
    "bench_waited_in_vain": Text("waited in vain for {what}"),
    "bundle_not_whole_archive": Text(
        "{place} is no whole tar archive", "`aquila audit export` makes one, and does not compress it"
    ),
    "bundle_unreadable": Text("{place} cannot be read: {fault}", "name a folder, an archive or a URL"),
    "ca_unreadable": Text("the CA {ca} cannot be read: {fault}", "name a PEM file with --ca"),
    "card_or_registry_file_malformed": Text(
        "this is neither a card nor a registry file",
        "it needs [matcher] identity_key, or [[party]] with code, name and identity_key",
    ),
    "cert_or_key_missing": Text("--cert and --key come together"),
    "certificate_or_key_unreadable": Text(
        "the certificate {certificate} or its key cannot be read: {reason}",
        "certificate and key belong together and are PEM files",
    ),
    "changed_entry_not_noticed": Text("a changed entry was not noticed"),
    "client_settings_unreadable": Text("{settings} cannot be read: {kind}", "remove it, and sign in again"),
    "demo_process_ended": Text("the process of {process} ended by itself", "its last log lines are above"),
    "demo_round_aborted": Text("the round was aborted: {ending}"),
    "demo_waited_in_vain": Text("waited in vain for {what}", "see the logs in the homes"),
    "file_holds_several_records": Text("{path}: there are {count} records", "choose one by its id"),
    "file_names_party_twice": Text("the file names {party} twice"),
    "file_refused": Text("{path}: {reason}"),
    "file_unreadable": Text("{file} cannot be read: {kind}"),
    "folder_holds_no_demo": Text("{folder} holds something else than a demo", "name another folder with --folder"),
    "folder_is_no_home": Text(
        "{path} is no home of a {wanted}",
        "make one with `aquila node init` or `aquila matcher init`, and name it with --home or AQUILA_HOME",
    ),
    "hit_id_without_single_match": Text(
        "{text} means {how_many}", "give the id or more of its digits; `aquila hit list` shows them"
    ),
    "home_not_of_matcher": Text("this is for the secretariat's matcher", "name the home of the matcher with --home"),
    "home_not_of_node": Text("this is for a party's node", "name the home of a node with --home"),
    "home_of_two_services": Text(
        "{path} is the home of both a node and a matcher",
        "make one with `aquila node init` or `aquila matcher init`, and name it with --home or AQUILA_HOME",
    ),
    "home_settings_unreadable": Text("{settings} cannot be read: {kind}"),
    "id_without_single_match": Text(
        "{text} means {how_many} {what}{plural_ending} of {count}",
        "give the id or at least its first {least_digits} digits, or `{latest}`",
    ),
    "key_registered_to_another_party": Text("the key of {party} is registered as that of {holder}"),
    "list_file_unreadable": Text("{path}: {fault}", "check the file's name and who may read it"),
    "listen_port_not_fixed": Text("{settings} leaves the port to the system", "name the service's address with --url"),
    "login_not_signed_in": Text("{login} is not signed in here", "sign in with `aquila login`"),
    "login_unknown": Text("there is no account {login}", "see them with `aquila user list`"),
    "mapped_column_missing": Text("the list has no column {heading}, or it is named twice", "write HEADING=FIELD"),
    "measured_command_failed": Text("a measured command failed: {said}"),
    "no_home_named": Text(
        "no home is named, and this person has none yet",
        "sign in with `aquila login NAME --url https://...`, or name a home with --home or AQUILA_HOME",
    ),
    "nobody_signed_in": Text("nobody is signed in here", "sign in with `aquila login NAME`"),
    "nobody_to_sign_out": Text("nobody is signed in here"),
    "nothing_approved": Text("nothing was approved", "`aquila approval refuse` says why to its author"),
    "nothing_there_yet": Text("there is no {what} yet"),
    "option_file_unreadable": Text("{path} cannot be read: {fault}"),
    "option_not_hexadecimal": Text("{option} is not hexadecimal"),
    "option_not_whole_number": Text("{option} is not a whole number from 0"),
    "out_folder_not_made": Text("{folder} cannot be made: {fault}", "name a folder of yours with --out"),
    "output_path_unwritable": Text("{path} cannot be written", "name a file in a folder of yours"),
    "output_write_failed": Text("{path} cannot be written: {fault}", "name a file in a folder of yours"),
    "passwords_differ": Text("the two passwords differ; nothing was changed"),
    "process_not_started": Text("the process of {process} did not start", "see {path}"),
    "prompt_input_missing": Text("{what}: nothing was given", "type it, or give it as a line of stdin"),
    "provider_subject_differs": Text("{login} is not this person of the provider", "see it with `aquila user list`"),
    "read_digest_missing": Text("name what was read", "give its digest from `aquila approval show` with --digest"),
    "record_place_malformed": Text("this is no place of a record", "`aquila records search` shows places: LIST/PLACE"),
    "registered_key_differs": Text(
        "{party} is registered with another key, of fingerprint {short_fingerprint}",
        "speak to the party; if its key did change, remove the old entry from the registry file by hand",
    ),
    "rule_table_refused": Text("{name_or_path}: {reason}"),
    "service_address_malformed": Text("{url} is no address of a service", "write https://host:port"),
    "service_answer_failed": Text("the service answers {status_code}", "try again in a moment"),
    "service_answer_unexpected": Text(
        "the {service} at {url} answers with something else than {kind}",
        "command and service may be of different releases; compare `aquila --version` on both machines",
    ),
    "service_ends_connection": Text(
        "the {service} at {peer} cannot be reached: {kind}",
        "where it asks for a certificate of the caller, name yours: `aquila --cert FILE --key FILE ...`",
    ),
    "service_refused_without_problem_document": Text(
        "the service refuses with {status} and without a problem document", "is there another program at this address?"
    ),
    "service_unreachable": Text(
        "the {service} at {peer} cannot be reached: {kind}",
        "start it with `aquila {service} serve`, or name its address with --url",
    ),
    "setting_missing": Text("{settings} does not set {setting}"),
    "settings_service_missing": Text("{settings} names no service: service must be node or matcher"),
    "several_signed_in": Text(
        "several are signed in here: {listed}",
        "say who you are: `aquila --as NAME ...`; `local` stands for the home's key",
    ),
    "template_suffix_unknown": Text("{out}: a template is a .csv or an .xlsx file", "give the file such a name"),
    "terms_unreadable": Text("{file}: {fault}", "it is TOML with the fields of a proposal"),
    "token_sent_in_clear": Text("{url} would carry the token in the clear", "use https, or call on loopback"),
    "url_files_not_given": Text("{url} does not give its files"),
    "url_unreachable": Text("{url} cannot be reached: {kind}"),
    "usable_record_missing": Text("{path}: {missing}", "see with `aquila records check {path}` what can be read"),
}
