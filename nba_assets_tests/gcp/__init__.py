"""What is tested against emulators of Google's services."""
