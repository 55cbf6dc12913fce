; Tuber's installer: for one user, without administrator rights.
;
;   Tuber-VERSION-setup.exe /S [/LOGIN=0|1] [/D=C:\folder]
;   uninstall.exe /S [/PURGE]
;
; /LOGIN says whether Tuber starts at login; without it the first installation
; turns it on, and an update leaves it as it is. /PURGE deletes keys, settings
; and stored streams too.
;
; The build defines VERSION, NUMBERS (four of them), PROGRAM, LICENCES, OUT and,
; if a certificate was given, SIGN: a command that signs the file it is given.

Unicode true
Target amd64-unicode
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "Sections.nsh"
!include "WinVer.nsh"

!define ID "io.github.tubercdn.tuber"
!define EXE "tuber-app.exe"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Tuber"
!define CLASS "Software\Classes\tuber"
!define PAGE "https://github.com/tubercdn/tuber"

Name "Tuber"
OutFile "${OUT}"
RequestExecutionLevel user
BrandingText "Tuber ${VERSION}"
InstallDir "$LOCALAPPDATA\Programs\Tuber"
InstallDirRegKey HKCU "${UNINSTALL}" "InstallLocation"
SetCompressor /SOLID lzma
ManifestDPIAware true
ManifestSupportedOS all
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "Tuber"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Tuber's installer"
VIAddVersionKey "CompanyName" "The Tuber authors"
VIAddVersionKey "LegalCopyright" "MIT licence"

!ifdef SIGN
  !finalize '${SIGN} "%1"'
  !uninstfinalize '${SIGN} "%1"'
!endif

!define MUI_ICON "icons/dist/tuber.ico"
!define MUI_UNICON "icons/dist/tuber.ico"
!define MUI_WELCOMEFINISHPAGE_BITMAP "icons/dist/installer.bmp"
!define MUI_ABORTWARNING
!define MUI_WELCOMEPAGE_TITLE "$(WelcomeTitle)"
!define MUI_WELCOMEPAGE_TEXT "$(WelcomeText)"
!insertmacro MUI_PAGE_WELCOME
!define MUI_COMPONENTSPAGE_SMALLDESC
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\${EXE}"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"

LangString WelcomeTitle ${LANG_ENGLISH} "Tuber ${VERSION}"
LangString WelcomeTitle ${LANG_GERMAN} "Tuber ${VERSION}"
LangString WelcomeText ${LANG_ENGLISH} "With Tuber this PC helps a friend's stream, by as much upload as you allow.$\r$\n$\r$\nIt is installed for you alone and needs no administrator rights. Nothing is sent before you have accepted an invite."
LangString WelcomeText ${LANG_GERMAN} "Mit Tuber hilft dieser PC dem Stream eines Freundes, mit so viel Upload, wie du erlaubst.$\r$\n$\r$\nEs wird nur für dich installiert und braucht keine Administratorrechte. Bevor du eine Einladung angenommen hast, wird nichts gesendet."
LangString AtLogin ${LANG_ENGLISH} "Start at login"
LangString AtLogin ${LANG_GERMAN} "Beim Anmelden starten"
LangString AboutProgram ${LANG_ENGLISH} "The program, its entry in the Start menu, and tuber:// links."
LangString AboutProgram ${LANG_GERMAN} "Das Programm, sein Eintrag im Startmenü und tuber://-Links."
LangString AboutAtLogin ${LANG_ENGLISH} "Tuber starts as an icon beside the clock whenever you log in. You can change this later in its settings."
LangString AboutAtLogin ${LANG_GERMAN} "Tuber startet als Symbol neben der Uhr, wenn du dich anmeldest. Das lässt sich später in den Einstellungen ändern."
LangString Data ${LANG_ENGLISH} "Delete keys, settings and stored streams too"
LangString Data ${LANG_GERMAN} "Auch Schlüssel, Einstellungen und gespeicherte Streams löschen"
LangString AboutData ${LANG_ENGLISH} "Without them you need new invites to help again."
LangString AboutData ${LANG_GERMAN} "Ohne sie brauchst du neue Einladungen, um wieder zu helfen."
LangString TooOld ${LANG_ENGLISH} "Tuber needs Windows 10 or newer."
LangString TooOld ${LANG_GERMAN} "Tuber braucht Windows 10 oder neuer."
LangString StillRuns ${LANG_ENGLISH} "Tuber still runs and does not end. Quit it by its icon beside the clock, then try again."
LangString StillRuns ${LANG_GERMAN} "Tuber läuft noch und lässt sich nicht beenden. Beende es über sein Symbol neben der Uhr und versuche es noch einmal."

; StopProgram has the running Tuber of this user end, and waits until its file is
; free. It is asked first, so that hosts are told and ports given back; one that
; does not end within 20 s is killed. What it kept survives that too: every write
; of its is one transaction.
!macro StopProgram UN
Function ${UN}StopProgram
  ${IfNot} ${FileExists} "$INSTDIR\${EXE}"
    Return
  ${EndIf}
  nsExec::Exec /TIMEOUT=25000 '"$INSTDIR\${EXE}" --quit'
  Pop $0
  StrCpy $1 0
  ${Do}
    ClearErrors
    FileOpen $0 "$INSTDIR\${EXE}" a
    ${IfNot} ${Errors}
      FileClose $0
      Return
    ${EndIf}
    ${If} $1 == 12 ; 3 s after it said that it ended, or did not
      nsExec::Exec 'taskkill.exe /F /IM ${EXE}'
      Pop $0
    ${EndIf}
    Sleep 250
    IntOp $1 $1 + 1
  ${LoopUntil} $1 > 52
  SetErrorLevel 3
  MessageBox MB_OK|MB_ICONSTOP "$(StillRuns)" /SD IDOK
  Abort
FunctionEnd
!macroend
!insertmacro StopProgram ""
!insertmacro StopProgram "un."

Section "Tuber" SecProgram
  SectionIn RO
  Call StopProgram
  SetOutPath "$INSTDIR"
  File "/oname=${EXE}" "${PROGRAM}"
  File "/oname=LICENSE.txt" "LICENSE"
  File "/oname=third-party-licences.txt" "${LICENCES}"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortCut "$SMPROGRAMS\Tuber.lnk" "$INSTDIR\${EXE}"

  WriteRegStr HKCU "${CLASS}" "" "URL:Tuber invite"
  WriteRegStr HKCU "${CLASS}" "URL Protocol" ""
  WriteRegStr HKCU "${CLASS}\DefaultIcon" "" '"$INSTDIR\${EXE}",0'
  WriteRegStr HKCU "${CLASS}\shell\open\command" "" '"$INSTDIR\${EXE}" "%1"'

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Tuber"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" '"$INSTDIR\${EXE}",0'
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Tuber authors"
  WriteRegStr HKCU "${UNINSTALL}" "URLInfoAbout" "${PAGE}"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $0
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)' ; links have a new owner
SectionEnd

Section "$(AtLogin)" SecLogin
SectionEnd

; The choice is written in either case, so that unticking it on an update turns it off.
Section "-login"
  ${If} ${SectionIsSelected} ${SecLogin}
    ReadRegStr $0 HKCU "${RUN}" "Tuber"
    ${If} $0 == ""
      WriteRegStr HKCU "${RUN}" "Tuber" '"$INSTDIR\${EXE}" --hidden'
      DeleteRegValue HKCU "${APPROVED}" "Tuber"
    ${EndIf}
  ${Else}
    DeleteRegValue HKCU "${RUN}" "Tuber"
    DeleteRegValue HKCU "${APPROVED}" "Tuber"
  ${EndIf}
SectionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${SecProgram} "$(AboutProgram)"
  !insertmacro MUI_DESCRIPTION_TEXT ${SecLogin} "$(AboutAtLogin)"
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Function .onInit
  ${IfNot} ${AtLeastWin10}
    SetErrorLevel 2
    MessageBox MB_OK|MB_ICONSTOP "$(TooOld)" /SD IDOK
    Abort
  ${EndIf}
  ReadRegStr $0 HKCU "${UNINSTALL}" "DisplayName"
  ${If} $0 != ""
    ReadRegStr $0 HKCU "${RUN}" "Tuber"
    ${If} $0 == ""
      !insertmacro UnselectSection ${SecLogin}
    ${EndIf}
  ${EndIf}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/LOGIN=" $1
  ${IfNot} ${Errors}
    ${If} $1 == "0"
      !insertmacro UnselectSection ${SecLogin}
    ${Else}
      !insertmacro SelectSection ${SecLogin}
    ${EndIf}
  ${EndIf}
FunctionEnd

Section "un.Tuber" UnProgram
  SectionIn RO
  Call un.StopProgram
  Delete "$INSTDIR\${EXE}"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\third-party-licences.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Tuber.lnk"
  DeleteRegValue HKCU "${RUN}" "Tuber"
  DeleteRegValue HKCU "${APPROVED}" "Tuber"
  ; another program may have taken the links over: then they are its own
  ReadRegStr $0 HKCU "${CLASS}\shell\open\command" ""
  ${If} $0 == '"$INSTDIR\${EXE}" "%1"'
    DeleteRegKey HKCU "${CLASS}"
    System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
  ${EndIf}
  DeleteRegKey HKCU "${UNINSTALL}"
  ; what the window's toolkit leaves
  RMDir /r "$APPDATA\fyne\${ID}"
  RMDir "$APPDATA\fyne"
  RMDir /r "$LOCALAPPDATA\fyne\${ID}"
  RMDir "$LOCALAPPDATA\fyne"
  Delete "$TEMP\systray_temp_icon_*"
SectionEnd

Section /o "un.$(Data)" UnData
  RMDir /r "$LOCALAPPDATA\tuber"
SectionEnd

!insertmacro MUI_UNFUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${UnProgram} "$(AboutProgram)"
  !insertmacro MUI_DESCRIPTION_TEXT ${UnData} "$(AboutData)"
!insertmacro MUI_UNFUNCTION_DESCRIPTION_END

Function un.onInit
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    !insertmacro SelectSection ${UnData}
  ${EndIf}
FunctionEnd
