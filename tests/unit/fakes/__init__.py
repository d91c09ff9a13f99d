"""In-memory fakes of AWS services that enforce the limits and conditions that matter to the pipeline."""
