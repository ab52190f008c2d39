"""Statistics on plain numbers: samples in, claims out (numpy and scipy.special only)."""
