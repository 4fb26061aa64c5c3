"""The words of the house: operations, events, errors, ids, time. No I/O happens here."""
