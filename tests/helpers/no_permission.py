"""Python code that makes a process as powerless as another user, even where root runs the tests.

Without its capabilities root is bound by the permissions of files like anybody else. The user
itself stays, because the interpreter may lie where others cannot read it.
"""

GIVE_UP_CAPABILITIES = """
import ctypes, os, struct
if os.geteuid() == 0:
    # capset(2): version 3 of the header, this process, and three empty sets in two halves.
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    if ctypes.CDLL(None, use_errno=True).capset(header, ctypes.create_string_buffer(24)):
        raise OSError(ctypes.get_errno(), "capset")
"""
