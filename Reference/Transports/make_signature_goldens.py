"""Golden signatures of webhooks, made or checked by the providers' own packages.

    pip install twilio==9.13.0 plivo==4.63.0 telnyx==4.189.0 pynacl cryptography
    python3 Reference/Transports/make_signature_goldens.py Tests/VoiceServerTests/Fixtures/signatures.json

Each case: a provider, the webhook's address, the form that was posted, the headers, and the secret to check them with.
"""

import base64
import json
import sys
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3, validate_v3_signature
from telnyx.lib import webhook_verification
from twilio.request_validator import RequestValidator

TOKEN = "12345"
TIME = 1_795_000_000


def twilio(url, signed_url, fields):
    signature = RequestValidator(TOKEN).compute_signature(signed_url, fields)
    assert RequestValidator(TOKEN).validate(url, fields, signature)
    return {"provider": "twilio", "url": url, "body": urlencode(fields), "secret": TOKEN,
            "headers": {"X-Twilio-Signature": signature}}


def plivo(url, fields):
    nonce = "12345678901234567890"
    signature = get_signature_v3(TOKEN.encode(), construct_post_url(url, fields).decode(), nonce.encode()).decode()
    assert validate_v3_signature("POST", url, nonce, TOKEN, signature, dict(fields))
    return {"provider": "plivo", "url": url, "body": urlencode(fields), "secret": TOKEN,
            "headers": {"X-Plivo-Signature-V3": "AAAA," + signature, "X-Plivo-Signature-V3-Nonce": nonce}}


def telnyx(url, fields):
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    body = urlencode(fields)
    headers = {"Telnyx-Signature-Ed25519": base64.b64encode(key.sign(f"{TIME}|{body}".encode())).decode(),
               "Telnyx-Timestamp": str(TIME)}
    webhook_verification.time.time = lambda: TIME
    webhook_verification.verify_webhook_signature(body, headers, public)
    return {"provider": "telnyx", "url": url, "body": body, "secret": public, "headers": headers}


def main(path):
    fields = {"CallSid": "CA1", "From": "+14158675310", "To": "+18005551212", "Digits": "1234", "Caller": "é & ü="}
    cases = [
        twilio("https://voice.example.org/?foo=1&bar=2", "https://voice.example.org/?foo=1&bar=2", fields),
        # Signed with a port that the address does not have, and the other way round.
        twilio("https://voice.example.org/", "https://voice.example.org:443/", fields),
        twilio("https://voice.example.org:8443/", "https://voice.example.org/", {"CallSid": "CA1"}),
        plivo("https://voice.example.org/", {"CallUUID": "u1", "From": "1415", "To": "1800", "X": "é & ü="}),
        plivo("https://voice.example.org/?b=2&a=1", {"CallUUID": "u1", "Event": "StartApp"}),
        telnyx("https://voice.example.org/", {"CallSid": "v3:x", "ConnectionId": "7", "From": "+1415"}),
    ]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"time": TIME, "cases": cases}, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
