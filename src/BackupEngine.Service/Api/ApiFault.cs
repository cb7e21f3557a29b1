namespace BackupEngine.Service.Api;

/// <summary>A refusal in the words and the shape of the Block Storage API.</summary>
internal sealed class ApiFault(int status, string fault, string message) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>The key that the error body is wrapped in.</summary>
    public string Fault { get; } = fault;

    public static ApiFault BadRequest(string message) => new(400, "badRequest", message);

    public static ApiFault InvalidBackup(string why) => BadRequest("Invalid backup: " + why);

    public static ApiFault InvalidVolume(string why) => BadRequest("Invalid volume: " + why);

    public static ApiFault InvalidSnapshot(string why) => BadRequest("Invalid snapshot: " + why);

    public static ApiFault InvalidInput(string why) => BadRequest("Invalid input received: " + why);

    public static ApiFault MalformedBody() => BadRequest("Malformed request body");

    public static ApiFault Unauthorized() => new(401, "unauthorized", "The request you have made requires authentication.");

    public static ApiFault Forbidden(string rule) => new(403, "forbidden", $"Policy doesn't allow {rule} to be performed.");

    public static ApiFault NotFound(string what, string id) => new(404, "itemNotFound", $"{what} {id} could not be found.");

    public static ApiFault NoRoute() => new(404, "itemNotFound", "The resource could not be found.");

    public static ApiFault NotInVersion(ApiVersion version) =>
        new(404, "itemNotFound", $"API version {version} is not supported on this method.");

    public static ApiFault OverLimit(string message) => new(413, "overLimit", message);

    public static ApiFault Unavailable(string message) => new(503, "serviceUnavailable", message);
}
