"""dkimpy as a peer of dkim-peer.ts: what is said over its pipes is described there.

DNS is a dictionary that the test fills. Exits at the end of its input.
"""
import importlib.metadata
import json
import sys

import dkim

try:
    import nacl.signing  # noqa: F401, dkimpy does Ed25519 with it
    ALGORITHMS = ['rsa-sha256', 'ed25519-sha256']
except ImportError:
    ALGORITHMS = ['rsa-sha256']

records = {}
keys = {}


def answer(value):
    sys.stdout.write(json.dumps(value) + '\n')
    sys.stdout.flush()


def txt(name, timeout=5):
    return records.get(name.decode('ascii').rstrip('.'), '').encode('ascii')


def sign(asked, message):
    key = keys[asked['algorithm']]
    secret = key['seed'] if asked['algorithm'] == 'ed25519-sha256' else key['pkcs1']
    try:
        signer = dkim.DKIM(message)
        # It refuses some names that RFC 6376 only advises against; the test asks for them.
        signer.should_not_sign = set()
        field = signer.sign(
            asked['selector'].encode(), asked['domain'].encode(), secret.encode(),
            signature_algorithm=asked['algorithm'].encode(),
            canonicalize=(asked['header'].encode(), asked['body'].encode()),
            include_headers=[name.encode('latin1') for name in asked['names']],
            # It knows l= of the whole body only.
            length=asked['limit'] is not None)
        return {'field': field.decode('latin1')}
    except Exception as error:  # whatever it is, it signs nothing
        return {'refused': '%s: %s' % (type(error).__name__, error)}


def verify(message):
    results = []
    try:
        verifier = dkim.DKIM(message)
        fields = [value for name, value in verifier.headers if name.lower() == b'dkim-signature']
    except Exception as error:
        return {'refused': '%s: %s' % (type(error).__name__, error)}
    for index, value in enumerate(fields):
        try:
            selector = dkim.util.parse_tag_value(value)[b's'].decode('latin1')
        except Exception:
            selector = ''
        try:
            passed = dkim.DKIM(message).verify(idx=index, dnsfunc=txt)
            results.append({'selector': selector, 'status': 'pass' if passed else 'fail', 'detail': ''})
        except Exception as error:
            results.append({'selector': selector, 'status': 'fail', 'detail': '%s: %s' % (type(error).__name__, error)})
    return {'results': results}


answer({'version': importlib.metadata.version('dkimpy'), 'algorithms': ALGORITHMS})
for line in iter(sys.stdin.buffer.readline, b''):
    asked = json.loads(line)
    message = sys.stdin.buffer.read(asked['bytes'])
    if asked['op'] == 'keys':
        records, keys = asked['records'], asked['keys']
        answer({})
    elif asked['op'] == 'sign':
        answer(sign(asked, message))
    else:
        answer(verify(message))
