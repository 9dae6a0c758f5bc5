"""Networks that read a picture: the e4e encoder and the Inverter."""
