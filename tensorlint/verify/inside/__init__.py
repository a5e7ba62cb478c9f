"""What runs inside of the processes that execute programs. Nothing of it imports tensorlint."""
