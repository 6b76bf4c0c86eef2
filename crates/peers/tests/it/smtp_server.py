"""An SMTP server for tests: smtp_server.py PORT starttls|implicit|plain CERTIFICATE KEY

Says `up`, then one line of JSON for each mail it takes. `grey@…` is put off, `bounce@…` is unknown.
"""

import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, mode, certificate, key = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("grey"):
            return "451 4.7.1 greylisted, come back later"
        if address.startswith("bounce"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "tls": session.ssl is not None or mode == "implicit",
            "authenticated": session.authenticated,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8"),
        }
        print(json.dumps(mail), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, login):
    right = LoginPassword(b"furka", b"furkapw")
    return AuthResult(success=login == right, handled=False)


class Server(Controller):
    def factory(self):
        return SMTP(
            self.handler,
            tls_context=tls if mode == "starttls" else None,
            require_starttls=mode == "starttls",
            auth_required=mode != "plain",
            auth_require_tls=mode == "starttls",
            authenticator=authenticate,
        )


Server(
    Handler(),
    hostname="127.0.0.1",
    port=int(port),
    ssl_context=tls if mode == "implicit" else None,
).start()
print("up", flush=True)
threading.Event().wait()
