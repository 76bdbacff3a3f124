"""Whether a VAT id is in use, asked of the Commission's VIES and kept as proof; and exemption certificates.

``checks`` has the verbs and ``standing`` (what runs and pages read), ``port`` what an adapter must do, ``live`` and ``offline``
the two adapters, ``certificates`` the papers of international organisations. Import the module that you need.
"""
