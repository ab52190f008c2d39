"""Statistics on plain numbers: it turns samples into claims, with numpy and scipy.special only."""
