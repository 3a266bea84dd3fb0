"""A small folder of photos with copies beside them, to try the service on."""
