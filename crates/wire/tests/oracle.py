"""libxmlsec1 as an oracle: one question a line on stdin, one answer a line on stdout.

verify DOCUMENT: is the signature directly inside the root good? `yes` or `no`
sign DOCUMENT: the document with its signature template filled in, or `no`
decrypt DOCUMENT: the document with its first EncryptedData decrypted, or `no`

Documents are base64. The key is the file named on the command line: PEM, private.
"""

import base64
import sys

import xmlsec
from lxml import etree

KEY = sys.argv[1]
DS = "{http://www.w3.org/2000/09/xmldsig#}Signature"
XENC = "{http://www.w3.org/2001/04/xmlenc#}EncryptedData"


def key():
    return xmlsec.Key.from_file(KEY, xmlsec.KeyFormat.PEM)


def root_of(text):
    root = etree.fromstring(text)
    xmlsec.tree.add_ids(root, ["ID"])
    return root


def verify(text):
    root = root_of(text)
    context = xmlsec.SignatureContext()
    context.key = key()
    context.verify(root.find(DS))
    return "yes"


def sign(text):
    root = root_of(text)
    context = xmlsec.SignatureContext()
    context.key = key()
    context.sign(root.find(DS))
    return base64.b64encode(etree.tostring(root, encoding="UTF-8")).decode()


def decrypt(text):
    root = etree.fromstring(text)
    manager = xmlsec.KeysManager()
    manager.add_key(key())
    context = xmlsec.EncryptionContext(manager)
    context.decrypt(next(root.iter(XENC)))
    return base64.b64encode(etree.tostring(root, encoding="UTF-8")).decode()


for line in sys.stdin:
    name, document = line.split()
    try:
        answer = {"verify": verify, "sign": sign, "decrypt": decrypt}[name](base64.b64decode(document))
    except Exception:  # whatever the library says, it is a no
        answer = "no"
    print(answer, flush=True)
