"""The verbs of the command ``marketplace``: thin, one module a subject. They parse, call one verb, and print."""
