"""How the world reaches us: projections of the catalog. No rules live here, and no feature is named here."""
