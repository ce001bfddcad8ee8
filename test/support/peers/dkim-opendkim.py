"""OpenDKIM's library as a peer of dkim-peer.ts: what is said over its pipes is described there.

The library is called by its C interface (opendkim/dkim.h), with the options
that the opendkim milter leaves at their defaults; keys come from a callback
that asks a dictionary which the test fills. Exits at the end of its input.
"""
import ctypes
import json
import re
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_ssize_t, c_uint, c_void_p

lib = ctypes.CDLL('libopendkim.so.11')
KEY_LOOKUP = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_size_t)


def declare(name, result, *arguments):
    function = getattr(lib, name)
    function.restype = result
    function.argtypes = arguments
    return function


dkim_init = declare('dkim_init', c_void_p, c_void_p, c_void_p)
dkim_options = declare('dkim_options', c_int, c_void_p, c_int, c_int, c_void_p, c_size_t)
dkim_sign = declare('dkim_sign', c_void_p, c_void_p, c_char_p, c_void_p, c_char_p, c_char_p, c_char_p, c_int, c_int, c_int, c_ssize_t, POINTER(c_int))
dkim_verify = declare('dkim_verify', c_void_p, c_void_p, c_char_p, c_void_p, POINTER(c_int))
dkim_header = declare('dkim_header', c_int, c_void_p, c_char_p, c_size_t)
dkim_eoh = declare('dkim_eoh', c_int, c_void_p)
dkim_body = declare('dkim_body', c_int, c_void_p, c_char_p, c_size_t)
dkim_eom = declare('dkim_eom', c_int, c_void_p, POINTER(c_bool))
dkim_free = declare('dkim_free', c_int, c_void_p)
dkim_geterror = declare('dkim_geterror', c_char_p, c_void_p)
dkim_getresultstr = declare('dkim_getresultstr', c_char_p, c_int)
dkim_getsighdr_d = declare('dkim_getsighdr_d', c_int, c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_size_t))
dkim_getsiglist = declare('dkim_getsiglist', c_int, c_void_p, POINTER(POINTER(c_void_p)), POINTER(c_int))
dkim_sig_getselector = declare('dkim_sig_getselector', c_char_p, c_void_p)
dkim_sig_getdomain = declare('dkim_sig_getdomain', c_char_p, c_void_p)
dkim_sig_getflags = declare('dkim_sig_getflags', c_uint, c_void_p)
dkim_sig_getbh = declare('dkim_sig_getbh', c_int, c_void_p)
dkim_sig_geterror = declare('dkim_sig_geterror', c_int, c_void_p)
dkim_sig_geterrorstr = declare('dkim_sig_geterrorstr', c_char_p, c_int)
dkim_sig_process = declare('dkim_sig_process', c_int, c_void_p, c_void_p)
dkim_set_key_lookup = declare('dkim_set_key_lookup', c_int, c_void_p, KEY_LOOKUP)
dkim_signhdrs = declare('dkim_signhdrs', c_int, c_void_p, POINTER(c_char_p))
dkim_libfeature = declare('dkim_libfeature', c_bool, c_void_p, c_uint)
dkim_libversion = declare('dkim_libversion', ctypes.c_uint32)

OK, NO_SIGNATURE = 0, 2
FOUND, NOT_FOUND = 0, 3
SET, FLAGS, OVERSIGN = 1, 0, 5
FLAG_SIGN_LENGTH = 0x4
PASSED = 0x4
ED25519 = 11
CANONICALIZATIONS = {'simple': 0, 'relaxed': 1}
ALGORITHMS = {'rsa-sha256': 1, 'ed25519-sha256': 2}

records = {}
keys = {}


def key_lookup(_, signature, buffer, length):
    name = '%s._domainkey.%s' % (dkim_sig_getselector(signature).decode('latin1'), dkim_sig_getdomain(signature).decode('latin1'))
    text = records.get(name)
    if text is None or len(text) >= length:
        return NOT_FOUND
    ctypes.memmove(buffer, text.encode('ascii') + b'\0', len(text) + 1)
    return FOUND


lookup = KEY_LOOKUP(key_lookup)


def library(flags=0, oversign=()):
    """A handle of its own for each set of fields to oversign: that is not a thing of a message to it."""
    handle = dkim_init(None, None)
    dkim_set_key_lookup(handle, lookup)
    value = c_uint(flags)
    dkim_options(handle, SET, FLAGS, byref(value), ctypes.sizeof(value))
    if oversign:
        listed = (c_char_p * (len(oversign) + 1))(*[name.encode('latin1') for name in oversign], None)
        dkim_options(handle, SET, OVERSIGN, ctypes.cast(listed, c_void_p), ctypes.sizeof(c_void_p))
    return handle


handles = {}


def handle_for(flags=0, oversign=()):
    wanted = (flags, tuple(oversign))
    if wanted not in handles:
        handles[wanted] = library(*wanted)
    return handles[wanted]


def fed(state, message):
    """As the milter hands a message on: field by field, without the line ends behind them, then the body."""
    at = 0 if message.startswith(b'\r\n') else message.find(b'\r\n\r\n') + 2
    head, body = (message, b'') if at == 1 else (message[:at], message[at + 2:])
    for field in re.split(rb'\r\n(?![ \t])', head):
        status = dkim_header(state, field, len(field)) if field else OK
        if status != OK:
            return 'dkim_header', status
    status = dkim_eoh(state)
    if status not in (OK, NO_SIGNATURE):
        return 'dkim_eoh', status
    return 'dkim_body', dkim_body(state, body, len(body)) if body else OK


def trouble(step, state, status):
    said = dkim_geterror(state) if state else None
    return '%s: %s%s' % (step, dkim_getresultstr(status).decode(), '' if not said else ' (%s)' % said.decode('latin1'))


def expression(name):
    """It takes names as regular expressions."""
    return re.sub(r'[^A-Za-z0-9_-]', lambda one: '\\^' if one.group() == '^' else '[%s]' % one.group(), name)


def sign(asked, message):
    key = keys[asked['algorithm']]['pem']
    status = c_int(0)
    counts = {}
    for name in asked['names']:
        counts[name] = counts.get(name, 0) + 1
    handle = handle_for(FLAG_SIGN_LENGTH if asked['limit'] is not None else 0, tuple(asked['over']))
    state = dkim_sign(handle, b'x', None, key.encode(), asked['selector'].encode(), asked['domain'].encode(),
                      CANONICALIZATIONS[asked['header']], CANONICALIZATIONS[asked['body']], ALGORITHMS[asked['algorithm']], -1 if asked['limit'] is None else asked['limit'], byref(status))
    if not state:
        return {'refused': trouble('dkim_sign', None, status.value)}
    try:
        names = [expression(name).encode('latin1') for name in counts]
        status.value = dkim_signhdrs(state, (c_char_p * (len(names) + 1))(*names, None))
        if status.value != OK:
            return {'refused': trouble('dkim_signhdrs', state, status.value)}
        step, status.value = fed(state, message)
        if status.value != OK:
            return {'refused': trouble(step, state, status.value)}
        status.value = dkim_eom(state, None)
        if status.value != OK:
            return {'refused': trouble('dkim_eom', state, status.value)}
        text, length = c_char_p(), c_size_t()
        status.value = dkim_getsighdr_d(state, len('DKIM-Signature: '), byref(text), byref(length))
        if status.value != OK:
            return {'refused': trouble('dkim_getsighdr_d', state, status.value)}
        # It leaves folds as a milter hands them on, with a bare LF where no CR stands.
        value = re.sub(r'\r?\n', '\r\n', text.value.decode('latin1'))
        return {'field': 'DKIM-Signature: %s\r\n' % value}
    finally:
        dkim_free(state)


def verify(message):
    status = c_int(0)
    state = dkim_verify(handle_for(), b'x', None, byref(status))
    if not state:
        return {'refused': trouble('dkim_verify', None, status.value)}
    try:
        step, status.value = fed(state, message)
        if status.value not in (OK, NO_SIGNATURE):
            return {'refused': trouble(step, state, status.value)}
        whole = dkim_eom(state, None)
        listed, count = POINTER(c_void_p)(), c_int()
        if dkim_getsiglist(state, byref(listed), byref(count)) != OK:
            return {'refused': trouble('dkim_eom', state, whole)}
        results = []
        for index in range(count.value):
            signature = listed[index]
            if not dkim_sig_getflags(signature) & 0x2:
                # By itself it stops at the first that passes.
                dkim_sig_process(state, signature)
            error = dkim_sig_geterror(signature)
            passed = bool(dkim_sig_getflags(signature) & PASSED) and dkim_sig_getbh(signature) == 0 and error == 0
            said = dkim_sig_geterrorstr(error)
            selector = dkim_sig_getselector(signature)
            results.append({'selector': selector.decode('latin1') if selector else '', 'status': 'pass' if passed else 'fail',
                            'detail': '' if passed else '%s, body hash %d' % (said.decode() if said else error, dkim_sig_getbh(signature))})
        return {'results': results}
    finally:
        dkim_free(state)


def answer(value):
    sys.stdout.write(json.dumps(value) + '\n')
    sys.stdout.flush()


version = dkim_libversion()
answer({'version': '%d.%d.%d' % (version >> 24, version >> 16 & 255, version >> 8 & 255),
        'algorithms': ['rsa-sha256', 'ed25519-sha256'] if dkim_libfeature(handle_for(), ED25519) else ['rsa-sha256']})
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
