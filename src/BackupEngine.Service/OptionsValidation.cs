using System.Net;
using BackupEngine.Compression;
using BackupEngine.Limits;

namespace BackupEngine.Service;

/// <summary>Finds settings that make no sense before anything starts.</summary>
internal static class OptionsValidation
{
    private const int MinTokenLength = 16;

    public static void Check(ServeOptions serve, BackupServiceOptions options)
    {
        Require(Enum.IsDefined(options.Auth) && Enum.IsDefined(serve.Auth ?? options.Auth), $"Auth must be one of {string.Join(", ", Enum.GetNames<AuthMode>())}.");
        Require(options.MaxListItems is >= 1 and <= 10_000, "MaxListItems must be from 1 to 10000.");
        Require(options.MaxBodyBytes is >= 1024 and <= 16 << 20, "MaxBodyBytes must be from 1 KiB to 16 MiB.");
        Require(options.MaxConcurrentJobs is >= 1 and <= 64, "MaxConcurrentJobs must be from 1 to 64.");
        Require(options.DeletedMarkerHours is >= 0 and <= 24 * 366, "DeletedMarkerHours must be from 0 to 8784.");
        Require(options.ContainerCheckHours is >= 0.01 and <= 24 * 49, "ContainerCheckHours must be from 0.01 to 1176.");
        Require(options.ContainerName is { Length: >= 1 and <= 255 }, "ContainerName must have from 1 to 255 characters.");
        Require(ChunkCompression.TryParse(options.Compression, out _), $"Compression '{options.Compression}' is unknown: none, lz4, zstd or zstd:LEVEL is meant.");
        Require(serve.VolumesDirectory is not null || options.Devices.Count > 0, "There are no volumes: give a directory of volumes, or Devices.");
        try
        {
            _ = new OperationLimits(options.Limits);
        }
        catch (ArgumentException exception)
        {
            throw new ServiceConfigurationException($"Limits: {exception.Message}", exception);
        }

        foreach (DeviceOptions device in options.Devices)
        {
            Require(device.Id != Guid.Empty && Path.IsPathRooted(device.Path), $"Device '{device.Path}' needs an Id (a UUID) and an absolute Path.");
        }

        Require(options.Devices.DistinctBy(device => device.Id).Count() == options.Devices.Count, "Two devices have one Id.");
        if (options.Auth == AuthMode.Keystone)
        {
            Require(Uri.TryCreate(options.Keystone.Url, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https", "Keystone:Url must be the address of the identity service.");
            Require(options.Keystone.CacheSeconds is >= 0 and <= 3600, "Keystone:CacheSeconds must be from 0 to 3600.");
        }

        if (options.Auth == AuthMode.Tokens)
        {
            CheckTokens(options.Tokens);
        }
    }

    /// <summary>Refuses to believe every token of whoever can reach the machine.</summary>
    public static void CheckAddress(string listen, AuthMode auth)
    {
        foreach (string address in listen.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            {
                throw new ServiceConfigurationException($"'{address}' is no address to listen on; http://127.0.0.1:8776 is one.");
            }

            bool isLoopback = uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
            Require(auth != AuthMode.NoAuth || isLoopback, $"Without authentication the service listens on loopback addresses only, not on {address}.");
        }
    }

    private static void CheckTokens(IReadOnlyList<StaticTokenOptions> tokens)
    {
        Require(tokens.Count > 0, "Auth is Tokens, but there are no Tokens.");
        foreach (StaticTokenOptions token in tokens)
        {
            Require(token.User.Length > 0 && token.Project.Length > 0, "Every token needs a User and a Project.");
            bool isPlain = token.Token is { Length: >= MinTokenLength };
            bool isDigest = token.TokenSha256 is { Length: 64 } digest && digest.All(char.IsAsciiHexDigit);
            Require(isPlain != isDigest, $"The token of user {token.User} needs either a Token of at least {MinTokenLength} characters or a TokenSha256 of 64 hexadecimal digits.");
        }
    }

    private static void Require(bool isRight, string message)
    {
        if (!isRight)
        {
            throw new ServiceConfigurationException(message);
        }
    }
}
