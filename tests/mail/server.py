"""A mail server that tells on standard output what it is told, one JSON object a line.

server.py PORT clear|starttls|smtps take|drop|later|full|nobody|login [CERTIFICATE KEY]
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


AT_FIRST = {"later": "451 4.7.1 try again later", "full": "552 5.2.2 mailbox full"}


def tell(**what):
    print(json.dumps(what), flush=True)


class Handler:
    def __init__(self, manner):
        self.manner = manner
        self.seen = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        tell(step="MAIL", tls=session.ssl is not None, user=bool(session.authenticated))
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.seen += 1
        if self.seen == 1 and self.manner in AT_FIRST:
            tell(step=self.manner)
            return AT_FIRST[self.manner]
        if self.manner == "nobody":
            tell(step="nobody")
            return f"550 5.1.1 <{address}> is not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: message.get_body((kind,)).get_content()
        headers = [[name, str(value)] for name, value in message.items()]
        tell(step="message", to=envelope.rcpt_tos, headers=headers, text=part("plain"), html=part("html"), tls=session.ssl is not None)
        if self.manner == "drop" and self.seen == 1:
            server.transport.abort()
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"us@here", b"p:w/d")
    return AuthResult(success=is_right, handled=is_right)


async def main(port, line, manner, certificate=None, key=None):
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    handler = Handler(manner)
    options = {"hostname": "mail.test", "tls_context": context if line == "starttls" else None, "enable_SMTPUTF8": False}
    if manner == "login":
        options |= {"authenticator": login, "auth_required": True, "auth_require_tls": line == "starttls"}
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, **options), "127.0.0.1", int(port), ssl=context if line == "smtps" else None
    )
    tell(step="ready", port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
