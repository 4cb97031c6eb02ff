"""What a payment client in Python needs of cryptography, with nothing but the standard library: RSA with SHA-256 as
PKCS#1 v1.5 has it, and opening what was sealed with AES-256-GCM. Good enough for a test bench, and for nothing else."""

import base64
import hashlib

# The head of a SHA-256 hash in a signature, as RFC 8017 has it.
HASH_HEAD = bytes.fromhex("3031300d060960864801650304020105000420")


def pem_body(text):
    return base64.b64decode("".join(line for line in text.splitlines() if not line.startswith("-----")))


def der(data, at=0):
    """One element: its tag, its content, and where the next begins."""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(data[at : at + count]), at + count
    return tag, data[at : at + length], at + length


def der_all(data):
    found, at = [], 0
    while at < len(data):
        tag, content, at = der(data, at)
        found.append((tag, content))
    return found


def numbers(data):
    return [int.from_bytes(content) for tag, content in der_all(der(data)[1]) if tag == 2]


class SecretKey:
    """A key in PKCS#8."""

    def __init__(self, pem):
        inner = der_all(der(pem_body(pem))[1])[2][1]
        _, self.n, _, self.d = numbers(inner)[:4]

    def sign(self, message):
        length = (self.n.bit_length() + 7) // 8
        return base64.b64encode(pow(padded(message, length), self.d, self.n).to_bytes(length)).decode()


class PublicKey:
    """A key as SubjectPublicKeyInfo."""

    def __init__(self, pem):
        bits = der_all(der(pem_body(pem))[1])[1][1]
        self.n, self.e = numbers(bits[1:])[:2]

    def verify(self, message, signature):
        try:
            number = int.from_bytes(base64.b64decode(signature, validate=True))
        except ValueError:
            return False
        return pow(number, self.e, self.n) == padded(message, (self.n.bit_length() + 7) // 8)


def padded(message, length):
    told = HASH_HEAD + hashlib.sha256(message).digest()
    return int.from_bytes(b"\x00\x01" + b"\xff" * (length - len(told) - 3) + b"\x00" + told)


def boxes():
    """The S-box of AES: inverses in its field, and an affine step."""
    logs, powers, value = {}, [], 1
    for place in range(255):
        logs[value] = place
        powers.append(value)
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
        value &= 0xFF
    box = []
    for byte in range(256):
        inverse = powers[(255 - logs[byte]) % 255] if byte else 0
        turned = inverse
        for turn in range(1, 5):
            turned ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xFF
        box.append(turned ^ 0x63)
    return box


BOX = boxes()


def double(byte):
    return ((byte << 1) ^ (0x1B if byte & 0x80 else 0)) & 0xFF


class Aes256:
    def __init__(self, key):
        words = [list(key[at : at + 4]) for at in range(0, 32, 4)]
        constant = 1
        for place in range(8, 60):
            word = list(words[-1])
            if place % 8 == 0:
                word = [BOX[byte] for byte in word[1:] + word[:1]]
                word[0] ^= constant
                constant = double(constant)
            elif place % 8 == 4:
                word = [BOX[byte] for byte in word]
            words.append([a ^ b for a, b in zip(words[place - 8], word)])
        self.rounds = [sum(words[at : at + 4], []) for at in range(0, 60, 4)]

    def block(self, block):
        state = [a ^ b for a, b in zip(block, self.rounds[0])]
        for number in range(1, 15):
            state = [BOX[state[(place + 4 * (place % 4)) % 16]] for place in range(16)]
            if number < 14:
                state = [byte for at in range(0, 16, 4) for byte in mixed(state[at : at + 4])]
            state = [a ^ b for a, b in zip(state, self.rounds[number])]
        return bytes(state)


def mixed(column):
    whole = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [column[at] ^ whole ^ double(column[at] ^ column[(at + 1) % 4]) for at in range(4)]


def times(left, right):
    """A product in the field of GHASH."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = (right >> 1) ^ ((0xE1 << 120) if right & 1 else 0)
    return product


def opened(key, nonce, associated, sealed):
    """A text that was sealed with AES-256-GCM, its tag at its end; nothing if it was not."""
    if len(nonce) != 12 or len(sealed) < 16:
        return None
    cipher, text, tag = Aes256(key), sealed[:-16], sealed[-16:]
    factor, hashed = int.from_bytes(cipher.block(bytes(16))), 0
    lengths = (len(associated) * 8).to_bytes(8) + (len(text) * 8).to_bytes(8)
    for part in (associated, text, lengths):
        for at in range(0, len(part), 16):
            hashed = times(hashed ^ int.from_bytes(part[at : at + 16].ljust(16, b"\0")), factor)
    first = cipher.block(nonce + (1).to_bytes(4))
    if bytes(a ^ b for a, b in zip(first, hashed.to_bytes(16))) != tag:
        return None
    stream = b"".join(cipher.block(nonce + (2 + at).to_bytes(4)) for at in range(-(-len(text) // 16)))
    return bytes(a ^ b for a, b in zip(text, stream))
