def is_current() -> bool: return True
