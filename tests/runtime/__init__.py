"""The fixtures under the real PyTorch: each is run with stand-ins for what it does not define (`standins.py`), by
calling what nobody in it calls (`drive.py`), while `evalguard.trace` records; what was seen must agree with its
markers."""
