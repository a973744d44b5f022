"""What this machine has, which credentials would be used, and which hosts answer from here."""
