"""What the window does when asked: commands of its menus, and its opening and closing."""
