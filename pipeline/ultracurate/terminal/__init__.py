"""What the commands show: tables and progress for people, one JSON object for scripts."""
