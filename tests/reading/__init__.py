"""How files become rows: values, NDCs, scope, fallbacks, quarantine, and what reading costs."""
