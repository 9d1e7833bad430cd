"""Sentences of the command."""

from typing import Final

from aquila.sentences.sentence import Table, Text

COMMAND: Final[Table] = {
    "another_demo_running": Text(
        "another demo is running in {folder}", "end it with Ctrl-C, or name another folder with --folder"
    ),
    "answer_needs_file": Text("{operation} answers with {kind}, which is not JSON", "name a file with --out"),
    "archive_files_not_allowed": Text("the archive holds a file twice, too many files, or one that is too large"),
    "archive_header_too_long": Text("a header in the archive is too long"),
    "archive_holds_no_plain_file": Text("the archive holds something else than whole plain files"),
    "archive_not_whole": Text("this is not a whole tar archive"),
    "authenticator_secret_malformed": Text(
        "{secret} holds no authenticator's secret", "it is letters and digits of base 32"
    ),
    "backup_already_there": Text("{file} is there already", "a backup never replaces another; name a new file"),
    "backup_content_malformed": Text("the opened content is not a whole backup", "use another copy of the file"),
    "backup_file_name_not_allowed": Text(
        "the backup names a file outside of the home, or in a folder that no backup fills"
    ),
    "backup_file_unreadable": Text("{file} cannot be read: {fault}"),
    "backup_form_unknown": Text(
        "a backup of the form {got} is unknown here", "restore it with the release that made it, or a later one"
    ),
    "backup_home_file_too_large": Text(
        "{file} is too large for a backup", "files that settings name have at most 16 MiB"
    ),
    "backup_key_already_made": Text("{file} is there already", "a key is never replaced; name a new file"),
    "backup_log_entry_differs": Text(
        "entry {index} of the log in the backup is not the one that its hash names",
        "use an earlier backup, and compare the log with an export",
    ),
    "backup_log_root_differs": Text(
        "the log in the backup differs from its signed root at {size} entries",
        "use an earlier backup, and compare the log with an export",
    ),
    "backup_of_another_service": Text("this is a backup of a {got}, not of a {expected}", "use `aquila {got} restore`"),
    "backup_of_later_release": Text(
        "the backup was made by release {release}, whose schema this release does not know", "install that release"
    ),
    "backup_private_key_malformed": Text(
        "{file} holds no private backup key, or a digit of it is wrong", "`aquila backup-key` makes one"
    ),
    "backup_public_key_malformed": Text("{file} holds no public backup key", "`aquila backup-key` makes one"),
    "backup_schema_differs": Text(
        "the database has the schema {revision}, which this release does not use",
        "start the service with this release once, or use the release that runs",
    ),
    "backup_table_unknown": Text("the backup has rows of {table} that its schema does not have"),
    "bundle_not_whole_archive": Text(
        "{place} is not a whole tar archive", "`aquila audit export` makes one, and does not compress it"
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
    "client_settings_unreadable": Text("{settings} cannot be read: {fault}", "remove it, and sign in again"),
    "demo_process_ended": Text("the process of {process} ended by itself", "its last log lines are above"),
    "demo_round_aborted": Text("the round was aborted: {ending}"),
    "demo_waited_in_vain": Text("waited in vain for {what}", "see the logs in the homes"),
    "doctor_backup_fine": Text("the newest backup is {days} days old"),
    "doctor_backup_old": Text("the newest backup is {days} days old", "make one each day: `aquila {service} backup`"),
    "doctor_certificate_fine": Text("the certificate of {setting} ends in {days} days"),
    "doctor_certificate_not_yet_valid": Text("the certificate of {setting} is not valid yet", "set the clock, or wait"),
    "doctor_certificate_without_name": Text(
        "the certificate of {setting} does not name {host}",
        "ask its issuer for one with this name, or correct listen.public_url",
    ),
    "doctor_chain_broken": Text(
        "the certificates in the file of {setting} do not form a chain",
        "put the own certificate first, then that of its issuer, and so on",
    ),
    "doctor_clock_differs": Text(
        "the clock differs by {seconds} s from the matcher's",
        "let the clock follow a time server; calls with more than 300 s are refused",
    ),
    "doctor_clock_fine": Text("the clock differs by {seconds} s from the matcher's"),
    "doctor_clock_unknown": Text(
        "the matcher's answer has no time",
        "compare the own clock with a time server; what is in front of the matcher has to pass its header Date on",
    ),
    "doctor_database_asynchronous": Text(
        "the database may lose what it has confirmed (synchronous_commit)",
        "set synchronous_commit = on: a database that lost a commit counts as an older copy",
    ),
    "doctor_database_empty": Text("the database has no tables", "they are made at the first start"),
    "doctor_database_fine": Text("{kind} answers, with schema {revision}"),
    "doctor_database_missing": Text(
        "{file} does not exist", "it is made at the first start; if there was one, restore it"
    ),
    "doctor_database_older": Text(
        "the database has the earlier schema {revision}", "it is brought up to date at the next start"
    ),
    "doctor_database_rights": Text("the database's role may not make tables", "see deploy/database-role.sh"),
    "doctor_database_superuser": Text(
        "the database's role is a superuser", "use a role that owns this one database: deploy/database-role.sh"
    ),
    "doctor_disk_fine": Text("{free} MiB are free"),
    "doctor_file_missing": Text("{file} does not exist, which {setting} names", "put it there, or correct the setting"),
    "doctor_file_unusable": Text(
        "{file} cannot be read: {fault}",
        "run the doctor as the service's user; if it is the service's file, give it to that user: chown, chmod 600",
    ),
    "doctor_files_of_others": Text(
        "{count} files belong to another user than the home, such as {file}", "give them to the owner of {home}: chown"
    ),
    "doctor_files_open": Text("{count} files or folders can be read by others", "{remedy}"),
    "doctor_identity": Text("identity key {fingerprint}"),
    "doctor_identity_in_token": Text("identity key {fingerprint}, in the token {token} as {key}"),
    "doctor_identity_readable": Text(
        "the token {token} gives the private half of {key} away to who has the PIN",
        "renew the identity key with a key that the token makes: aquila node renew-identity, aquila matcher "
        "renew-identity",
    ),
    "doctor_identity_waits": Text(
        "the registry names a new identity key of this service, which takes effect at its next start",
        "restart the service",
    ),
    "doctor_log_alarms": Text(
        "{count} alarms of the log are open: nothing is signed",
        "see them with `aquila audit status`; deploy/OPERATIONS.md, *The log*",
    ),
    "doctor_mail_failed": Text("the mail server {host} takes no mail: {failure}", "check [notifications.mail]"),
    "doctor_no_backup": Text("the log knows of no backup", "make one each day: `aquila {service} backup`"),
    "doctor_no_connection": Text("no connection ({kind})"),
    "doctor_not_running": Text("nothing answers at {url}", "start the service; its log says why it ended"),
    "doctor_only_loopback": Text("the service listens on loopback, without TLS"),
    "doctor_other_answer": Text(
        "{host} answers with status {status}, and not as an Aquila service",
        "check the address and what is in front of it",
    ),
    "doctor_other_issuer": Text("{host} is not the provider of the settings", "check provider.issuer"),
    "doctor_other_user": Text(
        "{home} belongs to another user than the one who runs this",
        "run it as the service's user, or its rights are not seen",
    ),
    "doctor_people_key_missing": Text(
        "{file} does not exist",
        "it is made at the first start; if there was one, bring it from the safe, or everyone has to enrol again",
    ),
    "doctor_reached": Text("{host} answers"),
    "doctor_registry_fine": Text("the registry has {parties}"),
    "doctor_registry_missing": Text(
        "{file} does not exist", "register the cards of all: `aquila party register CARD...`"
    ),
    "doctor_rights_fine": Text("{count} files and folders belong to the service alone"),
    "doctor_running": Text("the service answers at {url}"),
    "doctor_workers_fine": Text("the Dask cluster answers, with {count} threads"),
    "doctor_unreachable": Text(
        "{host} cannot be reached: {reason}", "check the address, the network and the certificates"
    ),
    "file_holds_several_records": Text("{path}: there are {count} records", "choose one by its id"),
    "file_names_party_twice": Text("the file names {party} twice"),
    "file_refused": Text("{path}: {reason}"),
    "file_unreadable": Text("{file} cannot be read: {kind}"),
    "folder_holds_no_demo": Text("{folder} holds something else than a demo", "name another folder with --folder"),
    "folder_is_no_home": Text(
        "{path} is not a home of a {wanted}",
        "make one with `aquila node init` or `aquila matcher init`, and name it with --home or AQUILA_HOME",
    ),
    "given_file_too_large": Text("{path} is too large to be an invitation, a request to join or a card"),
    "home_not_of_matcher": Text("this is for the secretariat's matcher", "name the home of the matcher with --home"),
    "home_not_of_node": Text("this is for a party's node", "name the home of a node with --home"),
    "home_of_two_services": Text(
        "{path} is the home of both a node and a matcher",
        "make one with `aquila node init` or `aquila matcher init`, and name it with --home or AQUILA_HOME",
    ),
    "home_settings_unreadable": Text(
        "{settings} cannot be read: {fault}",
        "run the command as the service's user; a line that is named is to be corrected",
    ),
    "id_without_single_match": Text(
        "{text} means {how_many} {what}{plural_ending} of {count}",
        "give the id or at least its first {least_digits} digits, or `{latest}`",
    ),
    "key_registered_to_another_party": Text("the key of {party} is registered as that of {holder}"),
    "list_file_unreadable": Text("{path}: {fault}", "check the file's name and who may read it"),
    "listen_port_not_fixed": Text("{settings} leaves the port to the system", "name the service's address with --url"),
    "input_address": Text("an address without blanks is needed"),
    "input_certificate": Text("a certificate in PEM is needed"),
    "input_code": Text("six digits are needed"),
    "input_control_characters": Text("one line without control characters is needed"),
    "input_day": Text("a day is needed, such as 2026-04-30"),
    "input_digest": Text("64 hexadecimal digits are needed"),
    "input_hit": Text("4 to 32 hexadecimal digits are needed"),
    "input_id": Text("a whole id in hexadecimal digits is needed"),
    "input_language": Text("the tag of a language is needed, such as sr-Latn"),
    "input_login": Text(
        "2 to 64 small letters without accents, digits, dots, hyphens and underscores are needed, a letter first"
    ),
    "input_mail_address": Text("a mail address is needed, such as duty@example.org"),
    "input_missing": Text("it is missing"),
    "input_no_choice": Text("it has to be {limit}"),
    "input_of_other_form": Text("it is written in another way than this field takes"),
    "input_of_other_kind": Text("it is of another kind ({kind})"),
    "input_party_code": Text("the code of a party is needed, two capital letters such as SI"),
    "input_person": Text("a person is needed as the log names one, such as p-0123456789ab"),
    "input_template_id": Text("2 to 39 small letters without accents, digits and hyphens are needed, a letter first"),
    "input_too_few": Text("at least {limit} are needed"),
    "input_too_large": Text("it is at most {limit}"),
    "input_too_long": Text("at most {limit} characters are taken"),
    "input_too_many": Text("at most {limit} are taken"),
    "input_too_short": Text("at least {limit} characters are needed"),
    "input_too_small": Text("it is at least {limit}"),
    "input_unknown": Text("it is not known here"),
    "input_unusable": Text(
        "this cannot be used: {faults}", "correct it, and give the command again; its --help shows what it takes"
    ),
    "login_not_signed_in": Text("{login} is not signed in here", "sign in with `aquila login`"),
    "login_unknown": Text("there is no account {login}", "see them with `aquila call get_accounts`"),
    "mapped_columns_missing": Text(
        "no list has a column of these names, or they are given twice: {headings}",
        "write HEADING=FIELD with the heading as the first line has it",
    ),
    "no_home_named": Text(
        "no home is named, and this person has none yet",
        "sign in with `aquila login NAME --url https://...`, or name a home with --home or AQUILA_HOME",
    ),
    "nobody_signed_in": Text("nobody is signed in here", "sign in with `aquila login NAME`"),
    "nobody_to_sign_out": Text("nobody is signed in here"),
    "nothing_there_yet": Text("there is no {what} yet"),
    "operation_unknown": Text(
        "the {service} has no operation {name}", "see all with `aquila call --list`; written like it: {near}"
    ),
    "option_file_unreadable": Text("{path} cannot be read: {fault}"),
    "output_path_unwritable": Text("{path} cannot be written", "name a file in a folder of yours"),
    "output_write_failed": Text("{path} cannot be written: {fault}", "name a file in a folder of yours"),
    "parameter_given_twice": Text("{name} takes one value", "give it once"),
    "parameter_not_one_of": Text("{name} has another value than it can have", "give one of these: {listed}"),
    "parameter_of_another_kind": Text("{name} has to be {kind}", "`aquila call OPERATION --list` shows what it takes"),
    "parameter_seen_by_others": Text(
        "{name} may not stand in a command line, which every user of the machine can read",
        "give it as {name}=@FILE, or as {name}=@- and type it",
    ),
    "parameter_unknown": Text(
        "{operation} has no parameter {name}", "see all with `aquila call {operation} --list`; written like it: {near}"
    ),
    "parameter_without_value": Text("parameters of {operation} are written NAME=VALUE", "put an = between the two"),
    "parameters_missing": Text(
        "{operation} needs more: {listed}", "`aquila call {operation} --list` shows all that it takes"
    ),
    "passwords_differ": Text("the two passwords differ; nothing was changed"),
    "process_not_started": Text("the process of {process} did not start", "see {path}"),
    "prompt_input_missing": Text("{what}: nothing was given", "type it, or give it as a line of stdin"),
    "registered_key_differs": Text(
        "{party} is registered with another key, of fingerprint {short_fingerprint}",
        "speak to the party; if its key did change, remove the old entry from the registry file by hand",
    ),
    "restore_database_not_empty": Text(
        "the database of the settings is not empty",
        "make an empty database, and name it in a settings file with --settings",
    ),
    "restore_home_not_empty": Text("{home} is not an empty folder", "name a new folder; a restore replaces nothing"),
    "restore_identity_differs": Text(
        "the identity key is another one than the key that signed the backup",
        "bring the key of that time from the safe",
    ),
    "restore_identity_missing": Text(
        "the identity key {file} is missing, which no backup holds", "bring it from the safe: --secret {file}"
    ),
    "restore_mark_unreadable": Text(
        "{file} is not a high-water mark",
        "it is keys/high-water.json of the old home; without it, limits of the days since the backup count as used",
    ),
    "restore_settings_of_another_home": Text(
        "the settings name the home {home}", 'write `home = "."` into the settings, and name them with --settings'
    ),
    "restore_statements_of_newer_key": Text(
        "the newest registry of the file names another identity key of the matcher than the backup's",
        "the matcher renewed its key after this backup: restore a backup from after that, with its key",
    ),
    "restore_statements_unreadable": Text(
        "the file of the registry holds no statements of the matcher",
        "a party's administrator writes it: aquila party registry --out FILE",
    ),
    "rule_table_refused": Text("{name_or_path}: {reason}"),
    "service_address_malformed": Text("{url} is not an address of a service", "write https://host:port"),
    "service_answer_failed": Text("the service answers {status_code}", "try again in a moment"),
    "service_answer_late": Text(
        "the {service} at {peer} has not answered in time: {kind}",
        "it may still be at work: look what became of your command before you give it again",
    ),
    "service_answer_unexpected": Text(
        "the {service} at {url} answers with something else than {kind}",
        "command and service may be of different releases; compare `aquila --version` on both machines",
    ),
    "service_ends_connection": Text(
        "the {service} at {peer} cannot be reached: {kind}",
        "if it asks for a certificate of the caller, name yours: `aquila --cert FILE --key FILE ...`",
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
        "several are signed in here: {listed}", "say who you are: `aquila --as NAME ...`; `local` means the home's key"
    ),
    "template_suffix_unknown": Text("{out}: a template is a .csv or an .xlsx file", "give the file such a name"),
    "token_sent_in_clear": Text("{url} would carry the token in the clear", "use https, or call on loopback"),
    "url_files_not_given": Text("{url} does not give its files"),
    "url_unreachable": Text("{url} cannot be reached: {kind}"),
    "usable_record_missing": Text("{path}: {missing}", "see with `aquila records check {path}` what can be read"),
}
