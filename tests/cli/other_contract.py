"""Makes a program image claim another contract, with a header that is otherwise whole: other_contract.py IN OUT."""
import struct
import sys
import zlib

image = bytearray(open(sys.argv[1], "rb").read())
header_bytes = image.index(b"GRAF")  # the first section follows the header
image[8] ^= 1  # the contract hash stands at byte 8
image[header_bytes - 4:header_bytes] = struct.pack("<I", zlib.crc32(image[:header_bytes - 4]))
open(sys.argv[2], "wb").write(image)
