using BackupEngine.Limits;
using Microsoft.Extensions.Options;

namespace BackupEngine.Hosting;

/// <summary>Finds settings that make no sense when the host starts.</summary>
internal sealed class OptionsValidator(bool needsDirectory) : IValidateOptions<BackupEngineOptions>
{
    public ValidateOptionsResult Validate(string? name, BackupEngineOptions options)
    {
        if (needsDirectory && string.IsNullOrWhiteSpace(options.Directory))
            return ValidateOptionsResult.Fail($"{BackupEngineOptions.Section}:Directory is missing: name the directory of the backups, or give AddBackupEngine a store.");
        if (!needsDirectory && options.Directory is not null)
            return ValidateOptionsResult.Fail($"{BackupEngineOptions.Section}:Directory is not used: AddBackupEngine was given a store.");
        try
        {
            _ = new OperationLimits(options.Limits);
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException e)
        {
            return ValidateOptionsResult.Fail($"{BackupEngineOptions.Section}:Limits: {e.Message}");
        }
    }
}
