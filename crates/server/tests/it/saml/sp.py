"""A service provider made of pysaml2: one question a line on stdin, one answer a line on stdout."""

import base64
import json
import re
import sys
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_ARTIFACT, BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import Config
from saml2.metadata import create_metadata_string
from saml2.saml import NameID
from saml2.samlp import NameIDPolicy, RequestedAuthnContext
from saml2 import saml

FOLDER = sys.argv[1]
HERE = "http://localhost:9/pysaml2"
PROVIDER = "http://localhost:8400/saml/metadata"

config = Config()
config.load({
    "entityid": HERE + "/sp",
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "key_file": FOLDER + "/sp.key",
    "cert_file": FOLDER + "/sp.crt",
    "allow_unknown_attributes": True,
    "service": {"sp": {
        "endpoints": {
            "assertion_consumer_service": [(HERE + "/acs", BINDING_HTTP_POST), (HERE + "/art", BINDING_HTTP_ARTIFACT)],
            "single_logout_service": [(HERE + "/slo", BINDING_HTTP_REDIRECT)],
        },
        "authn_requests_signed": True,
        "logout_requests_signed": True,
        "logout_responses_signed": True,
        "want_response_signed": True,
        "want_assertions_signed": True,
        "allow_unsolicited": False,
        "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
    }},
    "metadata": {"local": [FOLDER + "/provider.xml"]},
})
client = Saml2Client(config)
asked = {}
people = []


def location(info):
    return dict(info["headers"])["Location"]


def metadata(_):
    return {"xml": str(create_metadata_string(None, config=config), "utf-8")}


def request(wishes):
    more = {}
    if wishes.get("force"):
        more["force_authn"] = "true"
    if wishes.get("passive"):
        more["is_passive"] = "true"
    if wishes.get("classes"):
        refs = [saml.AuthnContextClassRef(text=one) for one in wishes["classes"]]
        more["requested_authn_context"] = RequestedAuthnContext(authn_context_class_ref=refs, comparison="exact")
    policy = NameIDPolicy(format=wishes["format"], allow_create="true") if wishes.get("format") else None
    number, info = client.prepare_for_authenticate(
        entityid=PROVIDER, relay_state="there", sign=True,
        response_binding=BINDING_HTTP_ARTIFACT if wishes.get("artifact") else BINDING_HTTP_POST, nameid_format="" if not policy else None,
        name_id_policy=policy, sigalg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", **more)
    asked[number] = "there"
    return {"id": number, "url": location(info)}


def response(wishes, binding=BINDING_HTTP_POST):
    answer = client.parse_authn_request_response(wishes["message"], binding, asked)
    people.append(answer.name_id)
    info = answer.authn_info()[0]
    return {"name_id": str(answer.name_id), "attributes": answer.ava, "class": info[0], "instant": info[2]}


class Carried:
    """What the test brings back from the provider."""
    status_code = 200

    def __init__(self, text):
        self.text = text


def carry(url, data, **_):
    print(json.dumps({"to": url, "envelope": data if isinstance(data, str) else str(data, "utf-8")}), flush=True)
    return Carried(json.loads(sys.stdin.readline())["envelope"])


def resolve(wishes):
    client.send = carry
    client.sourceid = client.metadata.construct_source_id()
    answer = client.artifact2message(
        wishes["artifact"], "idpsso", sign=wishes.get("sign", True),
        sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        digest_alg="http://www.w3.org/2001/04/xmlenc#sha256")
    # pysaml2's own reading of an envelope writes it anew with other prefixes, which no signature survives; so its
    # xmlsec1 looks at the text as it came, and the message in it is read by itself.
    number = re.search('<samlp:ArtifactResponse [^>]*ID="([^"]*)"', answer.text).group(1)
    certificate = client.metadata.certs(PROVIDER, "idpsso", "signing")[0]
    certificate = certificate if isinstance(certificate, str) else certificate[1]
    pem = FOLDER + "/provider.pem"
    with open(pem, "w") as file:
        body = "".join(certificate.split())
        lines = [body[at:at + 64] for at in range(0, len(body), 64)]
        file.write("\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]))
    name = "urn:oasis:names:tc:SAML:2.0:protocol:ArtifactResponse"
    if not client.sec.verify_signature(answer.text, cert_file=pem, node_name=name, node_id=number):
        raise ValueError("the answer is not signed")
    message = re.search("<samlp:Response .*</samlp:Response>", answer.text, re.S).group(0)
    whole = message.replace("<samlp:Response ", '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ', 1)
    return response({"message": str(base64.b64encode(whole.encode()), "ascii")}, BINDING_HTTP_ARTIFACT)


def logout(wishes):
    there = people[-1] in client.users.subjects()
    query = {name: values[0] for name, values in parse_qs(urlsplit(wishes["url"]).query).items()}
    info = client.handle_logout_request(
        query["SAMLRequest"], people[-1], BINDING_HTTP_REDIRECT, sign=True,
        sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", relay_state=query.get("RelayState", ""))
    gone = there and people[-1] not in client.users.subjects()
    return {"url": location(info), "gone": gone}


def sign_out(_):
    answers = client.global_logout(people[-1], sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
    return {"url": location(list(answers.values())[0][1])}


actions = {"metadata": metadata, "request": request, "response": response, "resolve": resolve, "logout": logout, "sign out": sign_out}
for line in sys.stdin:
    wishes = json.loads(line)
    try:
        answer = actions[wishes["do"]](wishes)
    except Exception as error:  # the test says what it expects
        answer = {"error": type(error).__name__ + ": " + str(error)}
    print(json.dumps(answer), flush=True)
