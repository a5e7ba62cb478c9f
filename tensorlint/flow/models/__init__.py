"""What calls mean, one library area a module."""
