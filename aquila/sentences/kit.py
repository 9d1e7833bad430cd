"""Sentences of `kit`."""

from typing import Final

from aquila.sentences.sentence import Table, Text

KIT: Final[Table] = {
    "account_decision_not_allowed": Text("your account may not decide any more"),
    "account_not_let_in": Text(
        "an administrator has to let you in first", "tell the administrator of this service who you are"
    ),
    "account_not_waiting": Text("this account does not wait to be let in", "see them with `aquila call get_accounts`"),
    "account_of_program": Text(
        "this account is a program's: it has one token, one role and one end",
        "make another one with `aquila call post_program`, and deactivate this one",
    ),
    "account_of_provider": Text("this account signs in at the provider", "reset it there"),
    "account_person_differs": Text(
        "this account is of another person than was read", "read the list of accounts again"
    ),
    "account_unknown": Text("there is no such account", "see them with `aquila call get_accounts`"),
    "alarm_already_acknowledged": Text("the alarm was acknowledged before"),
    "alarm_unknown": Text("there is no such alarm", "see them with `aquila audit status`"),
    "asking_person_not_allowed": Text(
        "the person who asked for this may not ask for it any more", "refuse it; who may ask can ask again"
    ),
    "backup_is_being_made": Text("a backup is being made already", "wait until it is done"),
    "backup_key_not_in_home": Text(
        "the home has no public backup key {file}", "put a copy of the public key of `aquila backup-key` there"
    ),
    "backup_not_written": Text("the backup could not be written", "look at the disk and at the service's log lines"),
    "body_too_large": Text("the body is too large", "the settings of lists and chunks are in the group limits"),
    "callers_too_many": Text("too many callers at once", "the same call can be repeated in a moment"),
    "decision_digest_differs": Text(
        "the content that was read differs from the content of the request",
        "read the request again with `aquila call get_approval`",
    ),
    "disk_full": Text(
        "no room is left on the disk of {folder_2}",
        "make room there or close a round; nothing was changed, and the call can be repeated",
    ),
    "disk_refused": Text(
        "the disk refused {parent}: {fault}", "check the disk and the folder's permissions; nothing was changed"
    ),
    "home_key_without_password": Text("the key of the home folder has no password"),
    "log_alarm_open": Text(
        "{alarm}",
        "nothing is signed or sent; when the log's owner has explained it, an administrator goes on with "
        "`aquila call post_acknowledge`",
    ),
    "log_checked_too_often": Text(
        "this log was checked five times within a few minutes", "wait a minute, and check it again"
    ),
    "log_shrank_to_nothing": Text(
        "the log {origin} shrank from {expected} to 0 entries",
        "nothing more is signed or sent; have the log's owner explain it, for example that it restored no backup",
    ),
    "log_entry_unknown": Text("the log has no entry {index}"),
    "log_entry_without_proof": Text(
        "entry {index} has no proof: its content was erased or changed, or no checkpoint covers it yet"
    ),
    "looks_period_wrong": Text("a review covers one to {expected} days, the last one not before the first"),
    "log_without_round": Text("the log has no entry of this round"),
    "login_reserved_for_home_key": Text("{login} names the key of the home folder", "choose another login"),
    "login_taken": Text("there is an account of this login", "see them with `aquila call get_accounts`"),
    "no_role_may": Text("no role of this service may do this", "`aquila roles` shows who may do what"),
    "notifications_not_chosen": Text(
        "you chose no notifications, so there is no address for a test", "choose them on the page of your account"
    ),
    "notifications_not_set_up": Text(
        "this service notifies nobody", "its settings name a mail server or a command for that"
    ),
    "party_calls_too_often": Text("the party calls too often", "wait a minute, and do it again"),
    "password_holds_login_name": Text("the password is too easy", "leave out the login name"),
    "password_too_easy": Text("the password is too easy", "leave out names of this place, and take words of your own"),
    "password_too_short": Text("the password is too short", "use at least {shortest} characters, or a few words"),
    "person_needed": Text("a program may not do this: {action}", "sign in as a person"),
    "program_elsewhere": Text(
        "the token does not count from the address {address}",
        "call from one that was named with it, or have another one made",
    ),
    "program_network_everything": Text("{network} limits nothing", "name the addresses that the program calls from"),
    "program_network_malformed": Text(
        "{network} is no address and no network", "write it as 192.0.2.7 or 192.0.2.0/24, or the same of IPv6"
    ),
    "program_role_impossible": Text("a program cannot be {role} here", "it can be {known_roles}"),
    "program_token_over": Text("the token is over", "have an administrator make another one"),
    "provider_role_missing": Text(
        "the provider gives you no role here", "the administrator of the provider can give one"
    ),
    "provider_sign_in_failed": Text(
        "the sign-in at the provider did not succeed", "begin again; the service's log says why"
    ),
    "request_not_waiting": Text("the request is {state} already", "ask for it again if it is still wanted"),
    "request_of_another_person": Text(
        "another person asked for this", "a person who may approve it may also refuse it"
    ),
    "request_of_home_key": Text(
        "this was asked for with the key in the home, which any administrator may hold",
        "another person approves it, whose account does not have the role administrator",
    ),
    "request_of_same_person": Text("you asked for this yourself", "another person decides; you may withdraw it"),
    "request_unknown": Text("there is no such request", "see them with `aquila call get_approvals`"),
    "request_without_persons": Text("this request asks for no persons by a query"),
    "request_waited_too_long": Text("the request waited too long", "ask for it again if it is still wanted"),
    "role_needed": Text("this needs the role {roles}", "`aquila roles` shows who may do what"),
    "same_request_already_waiting": Text(
        "the same request waits for a second person already",
        "see it with `aquila call get_approval approval_id={approval}`",
    ),
    "seen_checkpoint_not_signed": Text(
        "{party} names a checkpoint that the matcher's log has never signed",
        "it was shown another log: keep its checkpoint as evidence, and tell the other parties",
    ),
    "service_failed": Text("the service failed", "its log has the incident {incident}; the call can be repeated"),
    "service_not_ready": Text(
        "the service cannot do its work now: {listed}", "`aquila node status` or `aquila matcher status` shows why"
    ),
    "service_restored_from_backup": Text(
        "this service was restored from a backup, and its log may be older than the one that it has shown",
        "when it is explained, an administrator goes on with `aquila call post_acknowledge`",
    ),
    "service_role_unknown": Text("a {service} has no role {unknown_roles}", "it has {known_roles}"),
    "service_stopping": Text("the service is stopping", "start it again, and repeat the call"),
    "session_missing_or_over": Text("there is no session, or it is over", "sign in with `aquila login`"),
    "session_unknown": Text("you have no such session"),
    "sign_in_refused": Text(
        "login, password or code are not right",
        "after several failures an account waits, up to an hour; the administrator can reset it",
    ),
    "row_not_authentic": Text(
        "a row of the table {table} was not written by this service",
        "somebody changed the database: look who did; DISASTERS.md, *A row that the service did not write*",
    ),
    "approval_not_in_log": Text(
        "nothing is signed in round {round}: the log has no approval of exactly this by two persons",
        "somebody changed the database: look who did; DISASTERS.md, *A row that the service did not write*",
    ),
    "registry_approval_not_in_log": Text(
        "the registry is neither stated nor accepted: the log has no approval of exactly this by two persons",
        "somebody changed the database: look who did; OPERATIONS.md, *A row that the service did not write*",
    ),
    "registry_change_waits": Text(
        "another change of the registry waits for a second person, as request {approval}",
        "let it be decided, or take it back: aquila call post_withdraw approval_id={approval}",
    ),
    "registry_changed_meanwhile": Text(
        "the registry is another one than when this was asked for", "ask for it again, if it is still wanted"
    ),
    "registry_states_this": Text("the registry states this already", "see it with `aquila party registry`"),
    "stored_request_differs": Text(
        "the stored content of a request is not what was asked for",
        "somebody changed the database; refuse the request, and look who did",
    ),
    "waiting_requests_too_many": Text(
        "{most_waiting} requests of yours wait already",
        "withdraw some, or let them be decided, with `aquila call get_approvals`",
    ),
    "work_failed": Text(
        "a piece of work failed: {kind} at {file}:{lineno}",
        "restart the service; if it fails again, report kind, file and line, as SECURITY.md describes",
    ),
    "worker_process_ended": Text(
        "a process that did a part of the work ended without an answer",
        "look whether the system ended it for want of memory; fewer workers need less",
    ),
}

KIT_FAULTS: Final[Table] = {
    "authenticator_secret_not_opened": Text(
        "an authenticator's secret does not open",
        "{key_file} was replaced: reset the account, so that its person enrols again",
    ),
    "body_length_not_declared": Text(
        "the call does not declare the length of its body", "send it with Content-Length, and not in chunks"
    ),
    "call_already_seen": Text("the call was seen before", "sign the call again to repeat it"),
    "call_body_differs": Text("the call's body is not the one that was signed"),
    "call_content_type_not_signed": Text("the call's signature does not cover its content type"),
    "call_host_not_one": Text("the call needs exactly one Host"),
    "call_path_malformed": Text("the path of a call is not valid"),
    "call_signature_not_pinned": Text(
        "the call has no valid signature of a pinned key over method, authority, path and query",
        "the caller may have left or have another key: compare its fingerprint with `aquila party registry` at the "
        "called service, and the URL that it calls",
    ),
    "call_signed_for_another_service": Text(
        "the call was signed for another service", "call the service under the URL in its settings (listen.public_url)"
    ),
    "call_time_differs": Text(
        "the call's time differs by {difference} s from this service's",
        "set the clocks; {max_age} s are allowed each way",
    ),
    "call_unusable": Text("the call cannot be used: {listed}"),
    "certificate_authority_unknown": Text(
        "no CA that is trusted here has signed the certificate of {peer}",
        "name the CA of its certificate in the settings, or with --ca",
    ),
    "certificate_expired": Text(
        "the certificate of {peer} has expired", "its administrator has to renew it; compare the clocks, too"
    ),
    "certificate_invalid": Text(
        "the certificate of {peer} is not valid", "its administrator can read the reason with `openssl verify`"
    ),
    "certificate_missing": Text(
        "{peer} has shown no certificate", "name one in its settings, or with --cert and --key"
    ),
    "certificate_not_yet_valid": Text("the certificate of {peer} is not valid yet", "compare the clocks"),
    "certificate_of_another_name": Text(
        "the certificate of {peer} is for another name", "call it by a name in its certificate"
    ),
    "checkpoint_not_cosigned_by_sender": Text("the checkpoint is not cosigned by its sender"),
    "checkpoint_unknown_to_log": Text("this log has signed no such checkpoint"),
    "cosignature_time_out_of_range": Text(
        "the cosignature's time is not between this checkpoint and the next", "set the witness's clock"
    ),
    "dask_certificates_unreadable": Text(
        "the cluster's files hold no certificates and key: {fault}",
        "check dask_ca_file, dask_certificate_file and dask_key_file",
    ),
    "dask_cluster_lacks_release": Text(
        "the Dask cluster does not have this release of Aquila",
        "install the same release on the scheduler and on every worker",
    ),
    "dask_cluster_unusable": Text(
        "the Dask cluster at {dask_scheduler} cannot be used: {kind}",
        "look whether scheduler and workers run, and whether their certificates are of dask_ca_file",
    ),
    "dask_file_unreadable": Text("{name} cannot be read", "put the file there, or correct the setting"),
    "dask_member_release_differs": Text(
        "{address} of the Dask cluster runs another release of Aquila than this service",
        "install the same release on the scheduler and on every worker",
    ),
    "dask_not_installed": Text(
        'executor is "dask", and Dask is not installed', "install requirements/dask.txt, or aquila[dask]"
    ),
    "dask_worker_gone": Text(
        "a worker that did a part of the work is gone",
        "the work is done again by itself; look whether the system ended it for want of memory",
    ),
    "dask_worker_may_spill": Text(
        "{address} of the Dask cluster may write what it works on to its disk",
        "set distributed.worker.memory.target and .spill to false, as in the sample dask.yaml",
    ),
    "dask_worker_release_differs": Text(
        "a worker of the Dask cluster runs another release of Aquila",
        "install the same release on the scheduler and on every worker",
    ),
    "database_damaged": Text(
        "the database {place} is damaged",
        "stop the service and restore its newest backup: deploy/DISASTERS.md, *A database is damaged*",
    ),
    "database_disk_full": Text(
        "no room is left on the disk of {place}", "make room there; nothing was changed, and the call can be repeated"
    ),
    "database_failed": Text(
        "the database failed in {transaction}: {cause} {code}",
        "nothing was changed; look at the database and at [database] of the settings, and repeat the call",
    ),
    "database_log_differs_from_files": Text(
        "this service's database holds another log than the {expected} entries that its files show",
        "it was restored from a backup or changed; nothing is signed until its administrator and the other "
        "parties have looked at it: deploy/DISASTERS.md, *A database was restored*",
    ),
    "database_unreachable": Text(
        "the database server cannot be reached: {reason}",
        "nothing was changed; look whether it runs, at [database] of the settings, and at its pg_hba.conf",
    ),
    "database_schema_unknown": Text(
        "the database has the schema {revision}, which this version does not know",
        "start the version that made it, or a newer one",
    ),
    "file_digest_differs": Text("the content of {file} differs from its digest"),
    "file_name_malformed": Text("a file name needs one to eight segments of letters, digits, '.', '_' and '-'"),
    "health_certificate_ended": Text(
        "the certificate of {setting} has ended",
        "put the new files in its place; they are read again without a restart",
    ),
    "health_certificate_ends": Text(
        "the certificate of {setting} ends in {days} days",
        "put the new files in its place; they are read again without a restart",
    ),
    "health_certificate_unreadable": Text(
        "the file of {setting} holds no certificate that can be read", "put the right files in its place"
    ),
    "health_disk_full": Text(
        "no room is left for files, because {kept} MiB are kept free",
        "free some space; the service continues by itself",
    ),
    "health_disk_low": Text("files may take {free} MiB more of the disk", "free some space"),
    "health_driver_fails": Text(
        "{count} steps of the driver {driver} in a row have failed: {reason}",
        "the service's log has each of them, as step_failed; `aquila doctor` looks for the cause",
    ),
    "health_driver_hangs": Text(
        "a step of the driver {driver} has taken more than {minutes} minutes", "restart the service; nothing is lost"
    ),
    "health_fault_unexplained": Text(
        "{fault}", "look into the service's log, and under *When something is wrong* in deploy/OPERATIONS.md"
    ),
    "health_hits_missing": Text(
        "{count} hits of round {round} that this node stored are no longer in its database",
        "somebody deleted them: look who did; DISASTERS.md, *A row that the service did not write*",
    ),
    "health_party_silent": Text(
        "{party} has not called for {hours} hours, and takes part in an open round",
        "ask its administrator whether its node runs",
    ),
    "health_rows_not_authentic": Text(
        "{count} rows of the table {table} were not written by this service, and are left out",
        "somebody changed the database: look who did; DISASTERS.md, *A row that the service did not write*",
    ),
    "health_round_stuck": Text(
        "the round {round} waits for {parties}, and has made no progress for {hours} hours",
        "`aquila call get_round round_id={round}` shows each step",
    ),
    "health_worker_slow": Text(
        "a piece of work has taken {minutes} minutes", "restart the service if it does not end; nothing is lost"
    ),
    "health_workers_lost": Text(
        "workers ended {count} times since the start, the last time {minutes} minutes ago",
        "the service starts new ones by itself; if it goes on, use fewer `workers` or more memory",
    ),
    "home_already_made": Text("{home} is the home of a {service} already", "choose another folder"),
    "identity_key_not_registered": Text(
        "the registry pins another identity key for {party} than the one in this home",
        "accept the newest registry first: aquila party accept; if the key is lost, use --lost",
    ),
    "identity_provider_differs": Text(
        "the identity provider is not the one of the settings", "compare [provider] issuer with it"
    ),
    "identity_provider_missing": Text("this service has no identity provider", "sign in with a local account"),
    "identity_provider_unreachable": Text(
        "the identity provider cannot be reached: {kind}", "try again, or sign in with a local account"
    ),
    "key_file_length_differs": Text(
        "{key_file} has another length than a key", "bring the file from the safe, as it was written"
    ),
    "listening_failed": Text(
        "cannot listen on {host}:{port}: {fault}", "another process has the port, or the address is not this machine's"
    ),
    "log_copied_too_often": Text(
        "{party} has copied this log six times at once, or within ten minutes",
        "do it again in ten minutes; the copies that there are stay valid",
    ),
    "log_node_unknown": Text("the log has no such node"),
    "migration_breaks_reference": Text(
        "the migration breaks a reference between rows; nothing was changed",
        "start the earlier release again, and report it: the database is not what that release makes",
    ),
    "name_both_file_and_folder": Text("{file} is both a file and a folder"),
    "new_address_certificate_alone": Text(
        "certificate and key come together, and with the address (--public-url) that the certificate names"
    ),
    "new_address_not_https": Text("the address of a service that others call is https://HOST or https://HOST:PORT"),
    "next_identity_is_the_old_one": Text("the key {key} in the token is the present identity key", "name another key"),
    "next_identity_place_missing": Text(
        "the identity key is in a token, and it was not named where the new one goes",
        "--identity with the address of the new key, or --identity file",
    ),
    "next_identity_waits_elsewhere": Text(
        "a new identity key waits elsewhere already",
        "delete {file} if the secretariat has not replaced the key yet; then renew again",
    ),
    "idempotency_key_not_over": Text(
        "the first call with this idempotency key is not over, or its end is not known",
        "wait; if that does not help, look whether it took effect, and use another key for another call",
    ),
    "idempotency_key_not_taken": Text("this call takes no idempotency key", "leave it out"),
    "idempotency_key_of_another_call": Text(
        "another call had this idempotency key", "use a key for one call, with the same body each time"
    ),
    "operator_token_malformed": Text("{path} holds no operator's token", "make a new one"),
    "own_certificate_authority_unknown": Text(
        "{peer} trusts no CA that has signed the certificate shown to it", "its administrator names that CA in [tls] ca"
    ),
    "own_certificate_expired": Text(
        "{peer} refuses the certificate shown to it, because it has expired",
        "renew it: a service reads its files again when they change",
    ),
    "own_certificate_missing": Text(
        "{peer} asks for a certificate, and none was shown", "name it in the settings, or with --cert and --key"
    ),
    "own_certificate_refused": Text(
        "{peer} refuses the certificate shown to it",
        "its administrator finds the reason in its log, as certificate_refused",
    ),
    "own_ca_unreadable": Text(
        "{path} does not hold a CA of this service", "the certificate comes from elsewhere: renew it there"
    ),
    "peer_answer_compressed": Text("the peer's answer is compressed"),
    "peer_answer_failed": Text(
        "the peer answers {status_code}",
        "calls are repeated by themselves; if it lasts, ask the peer's administrator, or look at what stands before it",
    ),
    "peer_answer_too_large": Text("the peer's answer is too large"),
    "peer_certificate_or_key_unreadable": Text(
        "a certificate or key for {url} cannot be read: {fault}",
        "check ca, certificate and key of the peer in the settings",
    ),
    "peer_refused_without_problem_document": Text("the peer refused without a problem document"),
    "peer_unreachable": Text(
        "{peer} cannot be reached: {kind}",
        "the call is repeated by itself; check the peer, the network, the certificates and the clocks",
    ),
    "permissions_too_open": Text(
        "the {what} {path} is open to others", "chmod {mode} {path}, and consider known what it holds"
    ),
    "secret_unreadable": Text(
        "the secret {path} cannot be read: {fault}",
        "put the file there, readable by the service's user alone; bring it from the safe if it is lost",
    ),
    "service_name_unknown": Text(
        "the service is not called by this name", "its settings list its names (listen.names)"
    ),
    "service_not_live": Text("a driver makes no progress: {listed}", "restart the service; nothing is lost"),
    "settings_file_not_toml": Text(
        "the settings file {path} is not TOML: {fault}",
        "correct the line that is named; texts stand in quotation marks",
    ),
    "settings_file_not_utf_8": Text("the settings file {path} is not UTF-8", "save it as UTF-8 in the editor"),
    "settings_file_unreadable": Text(
        "the settings file {path} cannot be read: {fault}",
        "run it as the service's user, and look at the file's rights",
    ),
    "settings_file_unusable": Text(
        "the settings file {path} cannot be used: {listed}", "the operations page lists every setting"
    ),
    "people_key_missing": Text(
        "the home has no {key_file}, and its database has accounts",
        "put the file back from the safe; if it is lost, `aquila node renew-people-key` or `aquila matcher "
        "renew-people-key` accepts all rows as they are at the next start, and everyone enrols again",
    ),
    "stored_file_differs": Text("the stored content of {file} was changed"),
    "stored_file_missing": Text("there is no file {file}"),
    "stored_rows_conflict": Text("{transaction} conflicts with what is stored"),
    "tls_certificate_or_key_unreadable": Text(
        "a certificate or key of [tls] cannot be read: {fault}", "certificate and key belong together and are PEM files"
    ),
    "tls_certificate_unreadable": Text("the certificate of [tls] cannot be read: {kind}", "it is a PEM file"),
    "tls_off_on_reachable_host": Text(
        "{host} can be reached from other machines, and TLS is off",
        "add [tls] with certificate and key, or listen on 127.0.0.1",
    ),
    "token_address_attribute_unknown": Text(
        "the address of a key in a token has the attribute {attribute}, which is not used here",
        "use token or serial, object or id, module-path and pin-source",
    ),
    "token_address_incomplete": Text(
        "the address of a key in a token lacks {attribute}",
        "pkcs11:token=NAME;object=NAME?module-path=/FILE&pin-source=file:/FILE",
    ),
    "token_address_malformed": Text(
        "the address of a key in a token cannot be read",
        "pkcs11:token=NAME;object=NAME?module-path=/FILE&pin-source=file:/FILE",
    ),
    "token_address_with_pin": Text(
        "the address of a key in a token holds a PIN",
        "put the PIN into a file and name it as pin-source; change the PIN, since others may have seen it",
    ),
    "token_ambiguous": Text("several tokens are called {token}", "name the serial number of one in the key's address"),
    "token_failed": Text(
        "the PKCS#11 token {token} has failed: {kind}",
        "look at the token and at the log of its driver; it is tried again",
    ),
    "token_full": Text("the token {token} has no room for another key", "remove what is not needed there"),
    "token_key_ambiguous": Text(
        "the token {token} has several keys {key}", "name the identifier of one (id) in the key's address"
    ),
    "token_key_changed": Text(
        "the token {token} now has another key {key} than when the service started",
        "put the right token in; if the key was renewed, restart the service",
    ),
    "token_key_missing": Text(
        "the token {token} has no Ed25519 key {key} with both halves",
        "look at its keys, for example with `pkcs11-tool --list-objects`, and compare the label",
    ),
    "token_key_not_ed25519": Text("the key {key} in the token {token} is not an Ed25519 key", "take another key"),
    "token_library_missing": Text(
        "the identity key is in a token, and python-pkcs11 is not installed",
        "install requirements/pkcs11.txt, or aquila[pkcs11]",
    ),
    "token_locked": Text(
        "the token {token} is locked after too many wrong PINs", "its security officer has to set a new PIN"
    ),
    "token_missing": Text(
        "there is no PKCS#11 token {token}", "put it in, or start its driver; the service finds it by itself"
    ),
    "token_module_unusable": Text(
        "the PKCS#11 module {module} cannot be used: {kind}",
        "look whether the file is there and readable, and whether its settings are right",
    ),
    "token_pin_last_try": Text(
        "the token {token} has one try left for its PIN, which is not used up here",
        "sign in by hand with the right PIN once, and put it into the PIN's file",
    ),
    "token_pin_not_set": Text("the token {token} has no valid PIN", "its security officer has to set a new PIN"),
    "token_pin_unreadable": Text("the PIN's file {file} holds no text", "write the PIN into it, as one line"),
    "token_pin_wrong": Text(
        "the token {token} refuses the PIN in {file}",
        "write the right PIN into the file; the same PIN is not tried again before a restart",
    ),
    "token_signature_wrong": Text(
        "the token {token} has signed with another key than the public half of {key} says",
        "look whether both halves are of one key",
    ),
    "token_without_ed25519": Text(
        "the token {token} cannot make Ed25519 signatures", "take a token that has the mechanism CKM_EDDSA"
    ),
    "token_write_protected": Text("the token {token} is protected against writing", "make the key there by hand"),
    "write_ahead_log_in_use": Text("a reader keeps the write-ahead log in use", "try again"),
}
"""Faults of machines, keys, files and bytes, which no officer can mend: in English on every page."""
