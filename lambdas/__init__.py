"""How do the rules of the core run on AWS Lambda? One package a function; what they share stands beside them."""
