"""How a document leaves: ``deliveries`` has the verbs, ``peppol`` the client of an access point, ``access_point`` a stand-in for one."""
