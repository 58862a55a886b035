"""What a search remembers: its study, the journal of it, and draws that can be repeated."""
