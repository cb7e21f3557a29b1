using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Service;
using BackupEngine.Volumes;

namespace BackupEngine.Cli;

/// <summary>What the program tells its caller. A contract with scripts: the numbers do not change.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    public const int Failed = 1;

    public const int WrongUsage = 2;

    public const int NotFound = 3;

    /// <summary>The state of a backup or its chain forbids it: dependents, no parent, not available.</summary>
    public const int RefusedByState = 4;

    public const int CorruptionFound = 5;

    /// <summary>As shells report a process that SIGINT ended.</summary>
    public const int Cancelled = 130;

    /// <summary>The only place where an error becomes an exit code.</summary>
    /// <param name="error">What ended the command.</param>
    /// <param name="cancelled">Whether the user asked to stop: a cancellation that nobody asked for is a failure.</param>
    public static int Of(Exception error, bool cancelled) => error switch
    {
        CommandException own => own.ExitCode,
        OperationCanceledException when cancelled => Cancelled,
        CorruptionException => CorruptionFound,
        BackupNotFoundException => NotFound,
        AmbiguousBackupException or ServiceConfigurationException => WrongUsage,
        BackupHasDependentsException or BackupStateException or UnsupportedObjectStoreException => RefusedByState,
        ObjectStoreException { Error: ObjectStoreError.ContainerNotFound } => NotFound,
        VolumeException { InnerException: { } cause } when IsMissingFile(cause) => NotFound,
        _ when IsMissingFile(error) => NotFound,
        _ => Failed,
    };

    /// <summary>The runtime has types for a missing file; what comes from the system directly has the number alone, ENOENT or ENOTDIR.</summary>
    private static bool IsMissingFile(Exception error) =>
        error is FileNotFoundException or DirectoryNotFoundException or IOException { HResult: 2 or 20 };
}
