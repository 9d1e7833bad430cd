"""A program that approves what waits of the registry, for machines and containers whose services a test cannot call.

It is run there by the Python of the installation, with the home of the service as its argument: a new person enrols,
who may approve requests there and is no administrator, and approves them.
"""

APPROVING = """
import secrets, sys, time
from pathlib import Path
import pyotp
from aquila.audit.roles import Role
from clients.sdk import Access, ApprovalClient, Connection, PeopleClient, find_home
home = find_home(Path(sys.argv[1]))
role = Role.SECRETARIAT if home.service == "matcher" else Role.APPROVER
login = "registrar-" + secrets.token_hex(4)
with Connection(home.access()) as key, Connection(Access(home.service, home.url(), "", home.ca)) as own:
    code, people = PeopleClient(key).add_account(login, [role]).code, PeopleClient(own)
    secret = people.begin_enrolment(login, code).secret
    shown = pyotp.TOTP(secret).at(int(time.time()))
    own.carry(people.confirm_enrolment(login, code, "four words are long enough", shown).token)
    approvals = ApprovalClient(own)
    for one in approvals.approvals(waiting=True).approvals:
        print(approvals.approve(one.approval_id, one.digest).state)
"""
