namespace BackupEngine.Service.Api;

/// <summary>Marks routes that are answered without a token.</summary>
internal sealed class OpenToAll;
