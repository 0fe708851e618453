"""The calls of mail providers about bounces and complaints: verified and parsed."""
