"""The partner's side: what it is asked to accept, and who comes to its sessions. Never prices, never HR's notes."""
