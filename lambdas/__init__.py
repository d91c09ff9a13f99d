"""AWS Lambda functions, one package per function; the modules in this folder are shared."""
