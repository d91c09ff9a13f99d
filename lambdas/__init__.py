"""How do the core's rules run on AWS Lambda? One package a function; what they share beside them."""
