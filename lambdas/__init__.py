"""AWS Lambda functions, one package per function; the modules beside the packages are shared."""
