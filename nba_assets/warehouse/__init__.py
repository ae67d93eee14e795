"""Where tables live: one small interface, and the back ends behind it."""
