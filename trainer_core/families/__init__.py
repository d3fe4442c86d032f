"""What differs between base models, one file each, behind the protocol of ``base``."""
